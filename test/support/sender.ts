import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** A request as it goes over the wire; `body` is told by what it is made of, for the sender makes it itself. */
export interface Sent {
  method: string;
  path: string;
  headers?: Record<string, string>;
  /** Before, between and after so many repetitions; and whether its length is told ahead. */
  body?: { head?: string; repeat?: string; times?: number; tail?: string; chunked?: boolean };
}

export interface Received {
  /** 0: the connection was cut before there was an answer. */
  status: number;
  code: string;
}

/** By plain Node, so that it starts at once: sends what its input says, one line each, and tells what came back. */
const PROGRAM = `
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { url, method, path, headers = {}, body } = JSON.parse(line);
  const { head = '', repeat = '', times = 0, tail = '', chunked = false } = body ?? {};
  const bytes = Buffer.concat([Buffer.from(head), Buffer.from(repeat.repeat(times)), Buffer.from(tail)]);
  let told = false;
  const tell = (status, text) => {
    if (told) return;
    told = true;
    let code = '';
    try { code = JSON.parse(text).code ?? ''; } catch {}
    console.log(JSON.stringify({ status, code }));
  };
  const length = chunked ? { 'transfer-encoding': 'chunked' } : body ? { 'content-length': bytes.length } : {};
  const out = http.request(url + path, { method, agent, headers: { ...length, ...headers } }, (response) => {
    let text = '';
    response.on('data', (piece) => (text += piece));
    response.on('end', () => tell(response.statusCode, text));
    response.on('error', () => tell(0, ''));
  });
  out.on('error', () => tell(0, ''));
  out.end(bytes);
});
`;

/** Sends requests from a process of its own, so that what this process works is the server's work alone. */
export class Sender {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #waiting: ((answer: Received) => void)[] = [];

  constructor(private readonly url: () => string) {
    this.#child = spawn(process.execPath, ['-e', PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.#lines.on('line', (line) => this.#waiting.shift()?.(JSON.parse(line)));
  }

  /** One after the other. */
  send(request: Sent): Promise<Received> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin!.write(`${JSON.stringify({ url: this.url(), ...request })}\n`);
    });
  }

  /** The processor time of this process while it answers, in ms: the least of so many, for what else is done meanwhile adds to it; and the last answer. */
  async cost(request: () => Sent, times = 7): Promise<{ ms: number; answer: Received }> {
    const costs: number[] = [];
    let answer: Received = { status: 0, code: '' };
    for (let n = 0; n < times; n++) {
      const before = process.cpuUsage();
      answer = await this.send(request());
      const { user, system } = process.cpuUsage(before);
      costs.push((user + system) / 1000);
    }
    return { ms: Math.min(...costs), answer };
  }

  close(): void {
    this.#lines.close();
    this.#child.kill();
  }
}
