import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** A request to send. `body` is described by its parts, because the sender's process builds it. */
export interface Sent {
  method: string;
  path: string;
  headers?: Record<string, string>;
  /**
   * The text before the repetitions, the repeated text, how often, and the text after; and whether to send it chunked,
   * without a length.
   */
  body?: { head?: string; repeat?: string; times?: number; tail?: string; chunked?: boolean };
}

export interface Received {
  /** 0: the connection was cut before an answer. */
  status: number;
  code: string;
}

/** Plain Node, so that it starts at once. It reads requests from its input, one a line, and prints each result. */
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

/** Sends requests from a separate process, so that this process's CPU time is the server's alone. */
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

  /** Sends requests one after the other. */
  send(request: Sent): Promise<Received> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin!.write(`${JSON.stringify({ url: this.url(), ...request })}\n`);
    });
  }

  /**
   * The CPU time of this process during a request, in ms, and the last answer. It takes the lowest of several tries,
   * because other work only adds time.
   */
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
