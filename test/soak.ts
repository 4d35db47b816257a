// `npm run soak`: what takes longer than a test may. Each part says what came out; the last line says whether all held.
import { join } from 'node:path';
import { root } from './editor/fetch.ts';
import { endProcess, onInterrupt, startProcess } from './editor/processes.ts';

const PARTS: { name: string; env: Record<string, string>; args: string[] }[] = [
  {
    name: 'kill -9 under load, 200 times on each engine',
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
    env: { PERIGEE_POSTGRES_BIN: process.env.PERIGEE_POSTGRES_BIN ?? '/usr/lib/postgresql/15/bin' },
    args: ['test/server/backupPostgres.test.ts'],
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
];

let current: ReturnType<typeof startProcess> | undefined;
onInterrupt(async () => {
  if (current) await endProcess(current, 8000);
});

let failed = 0;
for (const { name, env, args } of PARTS) {
  console.log(`\n=== ${name}`);
  const began = Date.now();
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  const child = startProcess(process.execPath, [mocha, ...args], {
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
console.log(failed === 0 ? '\nAll held.' : `\n${failed} of ${PARTS.length} failed.`);
process.exit(failed === 0 ? 0 : 1);
