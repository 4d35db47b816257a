// A model service for tests: a real HTTP server with the chat-completions API and its own bill. Standalone: `tsx
// test/doubles/upstream.ts --port 9000 --tokens 200 --every 20`, scripted by POST /control.

import { createHash } from 'node:crypto';
import * as http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { AnswerWriter, json, now } from './answer.ts';
import {
  type BillEntry,
  type Call,
  type ChatBody,
  type ControlOrder,
  errorBody,
  FAILURES,
  type Script,
  Scripted,
  USUAL,
} from './script.ts';

export * from './script.ts';

export interface DoubleOptions {
  /** 0: any free port. */
  port?: number;
  models?: string[];
  /** The only API key it accepts; by default any key. */
  key?: string;
  /** The script for requests without one. */
  usual?: Script;
  /** Request fields to refuse with 400, as strict services do. */
  refusedFields?: string[];
}

export type Answering = Script | ((body: ChatBody) => Script);

export class UpstreamDouble {
  /** Every request for an answer, in order. */
  readonly bill: BillEntry[] = [];
  /** Fields refused with 400; tests may change it. */
  refusedFields: string[];
  readonly #options: DoubleOptions;
  readonly #server: http.Server;
  readonly #sockets = new Set<Socket>();
  readonly #cache = new Set<string>();
  #scripts: Scripted[] = [];
  #running = new Set<Scripted>();
  #usual: Answering;

  constructor(options: DoubleOptions = {}) {
    this.#options = options;
    this.#usual = options.usual ?? USUAL;
    this.refusedFields = options.refusedFields ?? [];
    this.#server = http.createServer((request, response) => {
      this.#route(request, response).catch((error) => {
        // An error in the double must not look like a scripted failure.
        console.error('upstream double:', error);
        response.destroy();
      });
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** Resolves once it listens on 127.0.0.1. */
  async start(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, '127.0.0.1', resolve);
    });
    return this;
  }

  /** The base URL, with /v1. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Closes everything, including running answers. */
  async stop(): Promise<void> {
    for (const scripted of this.#running) scripted.open();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Scripts a future request: it gets the first script whose `when` matches, in the order of the calls. */
  script(script: Script): Call {
    const scripted = new Scripted(script);
    this.#scripts.push(scripted);
    return scripted;
  }

  /** Sets the script for requests without one; a function decides by the request. */
  usually(script: Answering): void {
    this.#usual = script;
  }

  /** Deletes scripts, bill and cache; running answers continue to their end. */
  reset(): void {
    for (const scripted of this.#running) scripted.open();
    this.#scripts = [];
    this.bill.length = 0;
    this.#cache.clear();
    this.#usual = this.#options.usual ?? USUAL;
  }

  /** The total charge of the service. */
  get total(): { inputTokens: number; cachedInputTokens: number; outputTokens: number } {
    const total = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
    for (const entry of this.bill) {
      total.inputTokens += entry.inputTokens;
      total.cachedInputTokens += entry.cachedInputTokens;
      total.outputTokens += entry.outputTokens;
    }
    return total;
  }

  async #route(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://double').pathname;
    if (path.startsWith('/control')) return this.#control(request, response, path);
    const { key } = this.#options;
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
      return json(response, 401, FAILURES.wrongKey.body);
    }
    if (request.method === 'GET' && path === '/v1/models') {
      const data = (this.#options.models ?? ['double']).map((id) => ({
        id,
        object: 'model',
        created: 0,
        owned_by: 'test',
      }));
      return json(response, 200, { object: 'list', data });
    }
    if (request.method === 'POST' && path === '/v1/chat/completions') return this.#complete(request, response, path);
    json(response, 404, errorBody(`Unknown request URL: ${request.method} ${path}`, 'invalid_request_error'));
  }

  async #complete(request: http.IncomingMessage, response: http.ServerResponse, path: string): Promise<void> {
    const body = JSON.parse(await readAll(request)) as ChatBody;
    const scripted = this.#pick(body);
    const entry: BillEntry = {
      id: this.bill.length + 1,
      path,
      headers: request.headers,
      body,
      state: 'open',
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      reported: false,
      receivedAtMs: now(),
      firstPieceAtMs: null,
      endedAtMs: null,
    };
    this.bill.push(entry);
    this.#running.add(scripted);
    scripted.came.resolve(entry);
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    // After the client leaves, a gate must not hold the answer.
    closed.then(() => scripted.open());
    try {
      await this.#answer(scripted, entry, response);
      // "hang" has also returned by now: it waits for the client to leave.
      if (!response.writableEnded) await closed;
    } finally {
      if (entry.state === 'open') entry.state = 'aborted';
      entry.endedAtMs = now();
      this.#running.delete(scripted);
      scripted.over.resolve(entry);
    }
  }

  #pick(body: ChatBody): Scripted {
    const asked = textOf(body.messages?.findLast((message) => message.role === 'user')?.content);
    const index = this.#scripts.findIndex(({ script }) => script.when === undefined || asked.includes(script.when));
    const scripted = this.#scripts[index];
    if (!scripted) return new Scripted(typeof this.#usual === 'function' ? this.#usual(body) : this.#usual);
    // A script for several requests starts again for each; its `Call` follows only the first.
    if (scripted.left === 1) this.#scripts.splice(index, 1);
    else scripted.left = Math.max(0, scripted.left - 1);
    return scripted;
  }

  async #answer(scripted: Scripted, entry: BillEntry, response: http.ServerResponse): Promise<void> {
    const { script } = scripted;
    const { body } = entry;
    if (script.instead === 'close') {
      entry.state = 'failed';
      response.destroy();
      return;
    }
    if (script.instead === 'hang') return;
    if (script.raw) return this.#sendRaw(scripted, entry, response);
    if (script.status !== undefined) {
      entry.state = 'refused';
      const text = typeof script.body === 'string' ? script.body : JSON.stringify(script.body ?? {});
      response.writeHead(script.status, { 'content-type': 'application/json', ...script.headers }).end(text);
      return;
    }
    const refused = this.refusedFields.find((field) => field in body);
    if (refused !== undefined) {
      entry.state = 'refused';
      const hint = refused === 'max_tokens' ? " Use 'max_completion_tokens' instead." : '';
      const message = `Unsupported parameter: '${refused}' is not supported with this model.${hint}`;
      json(response, 400, errorBody(message, 'invalid_request_error', 'unsupported_parameter'));
      return;
    }
    this.#countInput(entry);
    entry.inputTokens = script.inputTokens ?? entry.inputTokens;
    await new AnswerWriter(scripted, entry, response).write();
  }

  async #sendRaw(scripted: Scripted, entry: BillEntry, response: http.ServerResponse): Promise<void> {
    const { raw = [], status = 200, headers, end, everyMs } = scripted.script;
    response.writeHead(status, { 'content-type': 'text/event-stream', ...headers });
    response.socket?.setNoDelay(true);
    for (const [index, piece] of raw.entries()) {
      if (scripted.isGate(index)) await scripted.pass(entry);
      else if (index > 0 && everyMs) await new Promise((resolve) => setTimeout(resolve, everyMs));
      if (response.destroyed) return;
      await new Promise((resolve) => response.write(piece, resolve));
    }
    if (scripted.isGate(raw.length)) await scripted.pass(entry);
    if (end === 'hang' || response.destroyed) return;
    entry.state = 'complete';
    if (end === 'destroy') response.destroy();
    else response.end();
  }

  /** A prompt's messages are cached from the first on, as far as an earlier prompt of the model starts the same way. */
  #countInput(entry: BillEntry): void {
    const hash = createHash('sha256').update(String(entry.body.model));
    let cached = true;
    entry.inputTokens = 3;
    for (const message of entry.body.messages ?? []) {
      const { role } = message;
      const content = typeof message.content === 'string' ? message.content : JSON.stringify(message);
      const pictures = content.match(PICTURES)?.length ?? 0;
      const tokens = 4 + countTokens(content.replace(PICTURES, '')) + pictures * PICTURE_TOKENS;
      entry.inputTokens += tokens;
      const prefix = hash.update(`\0${role}\0${content}`).copy().digest('base64');
      cached &&= this.#cache.has(prefix);
      if (cached) entry.cachedInputTokens += tokens;
      this.#cache.add(prefix);
    }
  }

  /** Lets another process, or a page of any origin, do what a test does here. */
  async #control(request: http.IncomingMessage, response: http.ServerResponse, path: string): Promise<void> {
    response.setHeader('access-control-allow-origin', '*');
    if (request.method === 'GET' && path === '/control/bill') {
      return json(response, 200, { total: this.total, bill: this.bill, connections: this.connections });
    }
    if (request.method !== 'POST' || path !== '/control') return json(response, 404, {});
    const order = JSON.parse(await readAll(request)) as ControlOrder;
    if (order.reset) this.reset();
    if (order.usual) this.usually(order.usual);
    for (const script of order.scripts ?? []) this.script(script);
    // Those that wait as well: a run is shown before its request is here.
    if (order.open) for (const scripted of [...this.#running, ...this.#scripts]) scripted.open();
    json(response, 200, { running: this.#running.size, waiting: this.#scripts.length });
  }
}

async function readAll(request: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

/** The text of a message in any of its forms. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return ((content ?? []) as { text?: string }[]).map(({ text }) => text ?? '').join('\n');
}

const PICTURES = /data:image\/[a-z]+;base64,[A-Za-z0-9+/=]*/g;
/** What OpenAI takes for a screenshot. */
const PICTURE_TOKENS = 1_105;

/** The double's own tokenizer: one token for every 4 bytes, rounded up. */
export function countTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      tokens: { type: 'string', default: '64' },
      every: { type: 'string', default: '20' },
      rate: { type: 'string' },
      models: { type: 'string', default: 'double' },
    },
  });
  const pieces = Array.from({ length: Number(values.tokens) }, (_, n) => `token${n} `);
  // `--rate` is in tokens a second, `--every` in milliseconds between two tokens.
  const everyMs = values.rate === undefined ? Number(values.every) : 1000 / Number(values.rate);
  const double = new UpstreamDouble({
    port: Number(values.port),
    models: values.models.split(','),
    usual: { pieces, everyMs },
  });
  await double.start();
  console.log(`upstream double: ${double.url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void double.stop());
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
