// Clients of our server and of the yardstick, alike in all they do: ask for an answer, note when its first and its last text
// came, and keep what came, to be looked at once the clock no longer runs.
import { randomUUID } from 'node:crypto';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { now } from './numbers.ts';

/** One answer as its client saw it. Times are epoch milliseconds. */
export interface Stream {
  /** Stands in the prompt, so that the request is found on the upstream's bill. */
  mark: string;
  sentAt: number;
  firstTextAt: number;
  lastTextAt: number;
  /** What came, as it came. */
  raw: string;
}

export interface Gateway {
  readonly name: string;
  /** Asks for one answer and reads it to its end; `n` chooses the account. Rejects when the request is refused. */
  stream(n: number): Promise<Stream>;
  /** The text of an answer, put together from its events. */
  textOf(stream: Stream): string;
  /** Seconds of processor time that the gateway's process has used since it began. */
  cpuSeconds(): Promise<number>;
}

/** Lets go of a connection before the other side does (Node: after 5 s), or a request would be sent into a closed one. */
class CarefulAgent extends http.Agent {
  override keepSocketAlive(socket: Socket): boolean {
    socket.setKeepAlive(true);
    socket.setTimeout(3000);
    return true;
  }
}

const agent = new CarefulAgent({ keepAlive: true });

export class PlainGateway implements Gateway {
  readonly name = 'plain proxy';

  constructor(private readonly url: string) {}

  async stream(_n: number): Promise<Stream> {
    const mark = randomUUID();
    const asked = { model: 'any', stream: true, messages: [{ role: 'user', content: mark }], max_tokens: 2000 };
    const body = JSON.stringify({ ...asked, stream_options: { include_usage: true } });
    const sentAt = now();
    const answer = await send(this.url, 'POST', '/v1/chat/completions', {}, body);
    return { mark, sentAt, ...(await readStream(answer, '"content":"p')) };
  }

  textOf(stream: Stream): string {
    return chatText(stream);
  }

  async cpuSeconds(): Promise<number> {
    return Number(await (await fetch(`${this.url}/cpu`)).text());
  }
}

/** Our server as a tool calls it: one request, as at the yardstick. */
export class CallGateway implements Gateway {
  readonly name = 'Perigee’s /v1';

  constructor(private readonly perigee: PerigeeGateway) {}

  async stream(n: number): Promise<Stream> {
    const mark = randomUUID();
    const asked = { model: 'double', stream: true, messages: [{ role: 'user', content: mark }], max_tokens: 2000 };
    const { url, headers } = this.perigee.caller(n);
    const sentAt = now();
    const answer = await send(url, 'POST', '/v1/chat/completions', headers, JSON.stringify(asked));
    return { mark, sentAt, ...(await readStream(answer, '"content":"p')) };
  }

  textOf(stream: Stream): string {
    if (!stream.raw.endsWith('data: [DONE]\n\n')) throw new Error(`a call did not end well: ${stream.raw.slice(-500)}`);
    return chatText(stream);
  }

  cpuSeconds(): Promise<number> {
    return this.perigee.cpuSeconds();
  }
}

/** The same in the dialect of Anthropic's Messages, translated on the way. */
export class MessagesGateway implements Gateway {
  readonly name = 'Perigee’s /v1/messages';

  constructor(private readonly perigee: PerigeeGateway) {}

  async stream(n: number): Promise<Stream> {
    const mark = randomUUID();
    const asked = { model: 'double', stream: true, messages: [{ role: 'user', content: mark }], max_tokens: 2000 };
    const { url, headers } = this.perigee.caller(n);
    const sentAt = now();
    const answer = await send(url, 'POST', '/v1/messages', headers, JSON.stringify(asked));
    return { mark, sentAt, ...(await readStream(answer, '"text":"p')) };
  }

  textOf({ raw }: Stream): string {
    if (!raw.endsWith('data: {"type":"message_stop"}\n\n'))
      throw new Error(`a message did not end well: ${raw.slice(-500)}`);
    return dataOf(raw)
      .map((data) => (JSON.parse(data) as { delta?: { text?: string } }).delta?.text ?? '')
      .join('');
  }

  cpuSeconds(): Promise<number> {
    return this.perigee.cpuSeconds();
  }
}

export class PerigeeGateway implements Gateway {
  readonly name = 'Perigee';

  private constructor(
    private readonly url: string,
    private readonly tokens: readonly string[],
  ) {}

  /** Becomes so many guests. */
  static async open(url: string, guests: number): Promise<PerigeeGateway> {
    const tokens: string[] = [];
    for (let i = 0; i < guests; i++) {
      const response = await fetch(`${url}/api/guest`, { method: 'POST' });
      if (response.status !== 201) throw new Error(`no guest: ${response.status} ${await response.text()}`);
      tokens.push(((await response.json()) as { token: string }).token);
    }
    return new PerigeeGateway(url, tokens);
  }

  /** Where and as whom the nth client calls. */
  caller(n: number): { url: string; headers: Record<string, string> } {
    return { url: this.url, headers: { authorization: `Bearer ${this.tokens[n % this.tokens.length]}` } };
  }

  async stream(n: number): Promise<Stream> {
    const mark = randomUUID();
    const { headers } = this.caller(n);
    const id = randomUUID();
    const request = { id, conversationId: randomUUID(), kind: 'chat', input: { text: mark } };
    const body = JSON.stringify(request);
    const sentAt = now();
    const started = await send(this.url, 'POST', '/api/runs', headers, body);
    await readAll(started);
    const events = await send(this.url, 'GET', `/api/runs/${id}/events`, headers);
    return { mark, sentAt, ...(await readStream(events, 'event: text')) };
  }

  textOf({ raw }: Stream): string {
    const text = dataOf(raw).map((data) => (JSON.parse(data) as { text?: string }).text ?? '');
    if (!/\nevent: done\n[^\n]+\n\n$/.test(raw)) throw new Error(`a run did not end well: ${raw.slice(-500)}`);
    return text.join('');
  }

  async cpuSeconds(): Promise<number> {
    const metrics = await (await fetch(`${this.url}/metrics`)).text();
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(metrics)?.[1]);
  }
}

export async function send(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<http.IncomingMessage> {
  const type =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const answer = await new Promise<http.IncomingMessage>((come, fail) => {
    const request = http.request(url + path, { agent, method, headers: { ...headers, ...type } }, come);
    request.on('error', fail);
    request.end(body);
  });
  if (answer.statusCode! < 300) return answer;
  throw new Error(`${method} ${path} was refused: ${answer.statusCode} ${await readAll(answer)}`);
}

export async function readAll(answer: http.IncomingMessage): Promise<string> {
  answer.setEncoding('utf8');
  let all = '';
  for await (const piece of answer) all += piece;
  return all;
}

/** Reads to the end by events, not by an iterator, which would cost a microtask and more for each piece. */
export function readStream(answer: http.IncomingMessage, sign: string): Promise<Omit<Stream, 'mark' | 'sentAt'>> {
  answer.setEncoding('utf8');
  return new Promise((done, fail) => {
    let raw = '';
    let firstTextAt = 0;
    let lastTextAt = 0;
    answer.on('data', (piece: string) => {
      raw += piece;
      if (!piece.includes(sign)) return;
      lastTextAt = now();
      firstTextAt ||= lastTextAt;
    });
    answer.on('end', () => done({ raw, firstTextAt, lastTextAt }));
    answer.on('error', fail);
  });
}

/** The text of a stream of chat completions. */
export function chatText({ raw }: Pick<Stream, 'raw'>): string {
  const chunks = dataOf(raw).filter((data) => data !== '[DONE]');
  return chunks
    .map((data) => (JSON.parse(data) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? '')
    .join('');
}

function dataOf(raw: string): string[] {
  return raw.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice('data: '.length)] : []));
}
