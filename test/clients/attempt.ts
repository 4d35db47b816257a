import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type Setup, setups } from '../../shared/connect.ts';
import type { BillEntry } from '../doubles/script.ts';
import { endProcess, startProcess, temporaryFolder } from '../editor/processes.ts';
import type { TestServer } from '../support/server.ts';
import { openTool } from '../support/tools.ts';
import type { TestedClient } from './clients.ts';
import { CONTEXT_TOKENS, type Fault } from './faults.ts';
import { answerTo, EDITED, FILES, PROMPT } from './task.ts';

/** More than any client takes, its pauses before new tries included. */
const LIMIT_MS = 180_000;

/** A proxy that nobody runs, so that updates and reports of use go nowhere. */
const NOWHERE = 'http://127.0.0.1:9';
const ENVIRONMENT = {
  ...{ LANG: 'C.UTF-8', TERM: 'dumb', NO_COLOR: '1' },
  ...{ HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE, NO_PROXY: '127.0.0.1,localhost', NODE_USE_ENV_PROXY: '1' },
};

/** One request as the server got it. */
export interface Seen {
  /** Since the client was started. */
  atMs: number;
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
  status: number;
  answer: string;
}

/** What came of one client with one fault. */
export interface Attempt {
  file: 'edited' | 'unchanged' | 'DAMAGED';
  exitCode: number | null;
  seconds: number;
  /** Without colours and empty lines. */
  said: string;
  requests: Seen[];
  /** What reached the model service. */
  bill: BillEntry[];
  /** The name of the client in the token log. */
  tool: string | null;
}

/** Lets one client do the task in a folder of its own, by the lines of the account page. */
export async function attempt(
  server: TestServer,
  client: TestedClient,
  fault: Fault,
  program: string,
): Promise<Attempt> {
  const home = await temporaryFolder('perigee-client-');
  const folder = join(home, 'work');
  await mkdir(folder);
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
  const tool = await openTool(server, { credits: fault.credits ?? 100_000 });
  const key = fault.key?.() ?? tool.headers.authorization!.slice('Bearer '.length);
  const given = { address: server.url, key, model: client.model, contextTokens: fault.contextTokens ?? CONTEXT_TOKENS };
  const setup = setups(given).find(({ name }) => name === client.name)!;
  await writeSetup(setup, home);

  const billed = server.double.bill.length;
  let isDue = fault.instead !== undefined;
  server.double.usually((body) => {
    const answer = answerTo(body, client, folder);
    const instead = isDue && body.tools ? fault.instead!(body, answer) : null;
    if (instead && !fault.isLasting) isDue = false;
    return instead ?? answer;
  });

  const began = Date.now();
  const { requests, end } = watch(server, began);
  const script = client.script({ program, prompt: PROMPT, setup });
  const env = { ...ENVIRONMENT, PATH: process.env.PATH, HOME: home, ...client.env };
  const child = startProcess('sh', ['-c', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const timer = setTimeout(() => {
    said += '\n(stopped, because it took too long)';
    endProcess(child).catch(() => {});
  }, LIMIT_MS);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  await endProcess(child);
  end();
  await settled(server);

  const text = await readFile(join(folder, 'colour.txt'), 'utf8');
  await rm(home, { recursive: true, force: true });
  const [entry] = (await tool.log()).filter((row) => row.tool !== null);
  return {
    file: text === EDITED ? 'edited' : text === FILES['colour.txt'] ? 'unchanged' : 'DAMAGED',
    exitCode,
    seconds: (Date.now() - began) / 1000,
    said: plain(said),
    requests,
    bill: server.double.bill.slice(billed),
    tool: entry?.tool ?? null,
  };
}

/** Writes the setup's lines where it says, if that is a file. */
async function writeSetup({ where, lines }: Setup, home: string): Promise<void> {
  const [, path] = /~\/(\S+\.\w+)/.exec(where) ?? [];
  if (!path) return;
  await mkdir(dirname(join(home, path)), { recursive: true });
  await writeFile(join(home, path), `${lines.join('\n')}\n`);
}

/** Records every request until `end`, without changing how the server reads it. */
function watch({ app }: TestServer, began: number): { requests: Seen[]; end(): void } {
  const requests: Seen[] = [];
  const take = (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request;
    const seen: Seen = { atMs: Date.now() - began, method, url, headers, body: '', status: 0, answer: '' };
    requests.push(seen);
    const body: Buffer[] = [];
    const answer: Buffer[] = [];
    const push = request.push;
    request.push = (piece, encoding) => {
      if (piece) body.push(Buffer.from(piece));
      return push.call(request, piece, encoding);
    };
    for (const name of ['write', 'end'] as const) {
      const send = response[name] as (...given: unknown[]) => never;
      response[name] = (...given: unknown[]) => {
        if (typeof given[0] === 'string' || given[0] instanceof Uint8Array)
          answer.push(Buffer.from(given[0] as string));
        return send.apply(response, given);
      };
    }
    response.once('close', () => {
      seen.status = response.statusCode;
      seen.body = Buffer.concat(body).toString();
      seen.answer = Buffer.concat(answer).toString();
    });
  };
  app.server.prependListener('request', take);
  return { requests, end: () => app.server.off('request', take) };
}

/** Waits until no call runs. */
async function settled({ db }: TestServer): Promise<void> {
  const open = () => db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
  while ((await open()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

const plain = (text: string) =>
  stripVTControlCharacters(text)
    .replace(/\n\s*\n+/g, '\n')
    .trim();
