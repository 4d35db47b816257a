// `npm run test:clients [-- --client Codex --fault cut --keep]`: coding tools from npm do a task by a real server, whose
// model service is a double, and meet its faults. The lines of the account page are their only configuration. Traffic
// goes to npm and to loopback alone. The exit code is 1 if a tool could not do the task, or did harm, or if the books do
// not add up.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openAiUpstream } from '../../server/gateway/upstreams/openai.ts';
import { MICRO_PER_CREDIT } from '../../shared/account.ts';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { root } from '../editor/fetch.ts';
import { startServer } from '../support/server.ts';
import { type Attempt, attempt } from './attempt.ts';
import { CLIENTS, type TestedClient } from './clients.ts';
import { CONTEXT_TOKENS, FAULTS, type Fault } from './faults.ts';
import { install, installNode } from './install.ts';
import { DONE } from './task.ts';

const C = MICRO_PER_CREDIT;
const PRICE = { mode: 'tokens' as const, inputMicro: 1_000 * C, cachedInputMicro: 100 * C, outputMicro: 4_000 * C };

const { values } = parseArgs({
  options: {
    client: { type: 'string' },
    fault: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const clients = CLIENTS.filter((client) => !values.client || titleOf(client).startsWith(values.client));
const faults = FAULTS.filter(({ name }) => !values.fault || name === values.fault);

function titleOf({ name, variant }: TestedClient): string {
  return variant ? `${name}, ${variant}` : name;
}

const models = [...new Set(CLIENTS.map(({ model }) => model))];
const double = await new UpstreamDouble({ models }).start();
const server = await startServer('sqlite', {
  double,
  // Without a new try of the server's own, each fault reaches the client.
  upstream: openAiUpstream({ url: double.url, retries: 0 }),
  policy: (policy) => {
    for (const id of models)
      policy.models.push({ id, contextTokens: CONTEXT_TOKENS, maxOutputTokens: 32_000, price: PRICE });
  },
});
/** A failure, or that all is done. */
const TELLS = new RegExp(`^.{0,4}${DONE}|error|too long|ran out`, 'i');
const failures: string[] = [];
const node = await installNode().catch((error: Error) => {
  console.log(`Node 22 could not be installed, so the clients run on ${process.version}: ${error.message}`);
  return process.execPath;
});
for (const client of clients) {
  const title = titleOf(client);
  let folder: string;
  try {
    folder = await install(client.package, client.version);
  } catch (error) {
    failures.push(`${title}: ${client.package} ${client.version} could not be installed`);
    console.log(`${title}: not installed: ${(error as Error).message}`);
    continue;
  }
  const path = join(folder, 'node_modules', client.program);
  const program = client.isNative ? `'${path}'` : `'${node}' '${path}'`;
  console.log(`\n${title} ${client.version}`);
  for (const fault of faults) {
    const came = await attempt(server, client, fault, program);
    if (values.keep) await keep(title, fault, came);
    const wrong = wrongWith(fault, came);
    if (wrong) failures.push(`${title}, ${fault.name}: ${wrong}`);
    console.log(tell(fault, came), wrong ?? '');
    await server.audit();
  }
}
await server.stop();
await double.stop();
console.log(failures.length === 0 ? '\nAll held, and the books add up.' : `\n${failures.join('\n')}`);
process.exit(failures.length === 0 ? 0 : 1);

/** What may not be, if it is. */
function wrongWith(fault: Fault, { file, said }: Attempt): string | null {
  if (file === 'DAMAGED') return 'the file is damaged';
  if (fault.name === 'none' && file !== 'edited') return 'did not edit';
  if (fault.tells && !fault.tells.test(said)) return 'does not show our message';
  return null;
}

/** One row: what became of the file, the requests by their answers, and the words that the client's owner sees. */
function tell(fault: Fault, { file, exitCode, seconds, said, requests, bill, tool }: Attempt): string {
  const counts = new Map<string, number>();
  for (const { method, url, status } of requests) {
    const name = `${method === 'POST' ? '' : `${method} `}${url.replace(/^\/v1|\?.*/g, '')} ${status}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const lines = said.split('\n');
  const told = lines.find((line) => (fault.tells ?? TELLS).test(line)) ?? lines.at(-1) ?? '';
  return [
    fault.name.padEnd(6),
    file.padEnd(9),
    `exit ${exitCode}`,
    `${seconds.toFixed(1)} s`.padStart(7),
    [...counts].map(([name, count]) => `${count} × ${name}`).join(', '),
    `upstream ${bill.length}`,
    tool ?? '-',
    `"${told.trim().slice(0, 160)}"`,
  ].join(' | ');
}

/** Stores what was sent and said, for reading; git does not see it. */
async function keep(title: string, { name }: Fault, came: Attempt): Promise<void> {
  const folder = join(root, 'out/clients/seen');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${title}-${name}.json`), JSON.stringify(came, null, 1));
}
