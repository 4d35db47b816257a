// `npm run soak [-- name…]`: what takes longer than a test may, or the parts whose names contain one of these. Each part
// says what came out; the last line says whether all held.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './editor/fetch.ts';
import { endProcess, onInterrupt, startProcess } from './editor/processes.ts';

/** Where Debian's packages `postgresql-15` and `pgbouncer` put them. */
const POSTGRES_BIN = process.env.PERIGEE_POSTGRES_BIN ?? '/usr/lib/postgresql/15/bin';
const PGBOUNCER = process.env.PERIGEE_PGBOUNCER ?? '/usr/sbin/pgbouncer';

interface Part {
  name: string;
  env: Record<string, string>;
  /** Of mocha, or of `program`. */
  args: string[];
  program?: string;
  /** A program without which its tests skip themselves. */
  needs?: string;
}

const PARTS: Part[] = [
  {
    name: 'kill -9 under tool calls and editor runs with faults, 200 times on each engine',
    env: { PERIGEE_KILLS: '200' },
    args: ['test/server/runs/killed.test.ts'],
  },
  {
    name: '20,000 interleavings against the independent model, on each engine',
    env: { PERIGEE_MODEL_RUNS: '20000' },
    args: ['test/credits/model.test.ts'],
  },
  {
    name: '5,000 interleavings of what the payment service tells, on each engine',
    env: { PERIGEE_TELLING_RUNS: '5000' },
    args: ['test/credits/tellings.test.ts'],
  },
  {
    name: 'a backup of PostgreSQL 15 by its own tools, restored',
    env: { PERIGEE_POSTGRES_BIN: POSTGRES_BIN },
    args: ['test/server/backupPostgres.test.ts'],
    needs: join(POSTGRES_BIN, 'pg_dump'),
  },
  {
    name: 'two nodes, one killed under 200 running answers, 20 times',
    env: { PERIGEE_NODE_KILLS: '20', PERIGEE_NODE_ANSWERS: '200' },
    args: ['test/server/nodes/killedNode.test.ts'],
  },
  {
    name: 'two nodes behind PgBouncer, whose connections it drops 10 times',
    env: { PERIGEE_PGBOUNCER: PGBOUNCER, PERIGEE_POOLER_DROPS: '10' },
    args: ['test/server/nodes/pooler.test.ts'],
    needs: PGBOUNCER,
  },
  {
    name: 'two nodes on a database that is read-only for a minute, and whose primary is killed',
    env: { PERIGEE_POSTGRES_BIN: POSTGRES_BIN },
    args: ['test/server/nodes/failOver.test.ts'],
    needs: join(POSTGRES_BIN, 'pg_basebackup'),
  },
  {
    name: '5,000 edits of real files with each kind of mistake',
    env: { PERIGEE_MISTAKES: '5000' },
    args: ['test/edit/engine/engineMistakes.test.ts'],
  },
  {
    name: 'declarations of real commits, in every form in which a chat shows them',
    env: { PERIGEE_COMMITS: 'all' },
    args: ['test/edit/engine/engineCommits.test.ts'],
  },
  {
    name: '20,000 random answers of a model service on SQLite, 2,000 on PostgreSQL',
    env: { PERIGEE_FUZZ_RUNS: '20000' },
    args: ['test/server/runs/fuzzedServices.test.ts'],
  },
  {
    name: 'all suites of the extension inside the extension host in a web worker',
    env: {},
    program: 'test/editor/test.ts',
    args: ['--host', 'web'],
  },
];

let current: ReturnType<typeof startProcess> | undefined;
onInterrupt(async () => {
  if (current) await endProcess(current, 8000);
});

const asked = process.argv.slice(2);
const parts = PARTS.filter(({ name }) => asked.length === 0 || asked.some((part) => name.includes(part)));
if (parts.length === 0) {
  console.error(`The parts are:\n${PARTS.map(({ name }) => `- ${name}`).join('\n')}`);
  process.exit(1);
}

let failed = 0;
const skipped: string[] = [];
for (const { name, env, program = 'node_modules/mocha/bin/mocha.js', args, needs } of parts) {
  console.log(`\n=== ${name}`);
  if (needs && !existsSync(needs)) {
    console.log(`--- ${name}: skipped, there is no ${needs}`);
    skipped.push(needs);
    continue;
  }
  const began = Date.now();
  const child = startProcess(process.execPath, ['--import', 'tsx', join(root, program), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  current = child;
  const code = await new Promise<number | null>((ended) => child.once('exit', ended));
  await endProcess(child);
  if (code !== 0) failed++;
  console.log(`--- ${name}: ${code === 0 ? 'held' : 'FAILED'}, ${((Date.now() - began) / 60_000).toFixed(1)} minutes`);
}
const lacking = skipped.length > 0 ? ` Skipped for lack of a program: ${skipped.join(', ')}.` : '';
console.log(
  failed > 0
    ? `\n${failed} of ${parts.length} failed.${lacking}`
    : `\n${lacking ? `${parts.length - skipped.length} of ${parts.length}` : 'All'} held.${lacking}`,
);
process.exit(failed === 0 ? 0 : 1);
