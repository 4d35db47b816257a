import { createParser } from 'eventsource-parser';
import type { AccountAnswer } from '../../shared/account.ts';
import type { Conversation, ConversationsAnswer } from '../../shared/conversations.ts';
import type { LogAnswer } from '../../shared/credits.ts';
import type { Problem } from '../../shared/problems.ts';
import type {
  FilesEdit,
  OutcomeAnswer,
  RepairEdit,
  RunAnswer,
  RunEvent,
  RunRequest,
  SelectionEdit,
} from '../../shared/runs.ts';

export type SeenEvent = RunEvent & { seq: number };

/** An answer of the server, parsed for a test. */
export interface Answer<T> {
  status: number;
  body: T & Problem;
  headers: Headers;
}

/** A plain client of the server's API, for black-box tests. It uses no server code. */
export class Client {
  constructor(
    readonly url: string,
    readonly token: string,
    readonly accountId: string,
    readonly device = 'test',
  ) {}

  /** A new guest. */
  static async guest(url: string): Promise<Client> {
    const response = await fetch(`${url}/api/guest`, { method: 'POST' });
    if (response.status !== 201) throw new Error(`no guest: ${response.status} ${await response.text()}`);
    const { token, account } = (await response.json()) as { token: string; account: { id: string } };
    return new Client(url, token, account.id);
  }

  /** The headers that authenticate the caller; for a client without a key, a bearer token. */
  async credentials(_method: string, _path: string): Promise<Record<string, string>> {
    return { authorization: `Bearer ${this.token}` };
  }

  async request<T = unknown>(method: string, path: string, body?: unknown, headers = {}): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(await this.credentials(method, path)),
        'perigee-device': this.device,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: isJson ? JSON.parse(text) : (text as never), headers: response.headers };
  }

  /** A chat request, with new ids unless given. */
  chat(text: string, more: Partial<RunRequest> = {}): RunRequest {
    return {
      id: crypto.randomUUID(),
      conversationId: crypto.randomUUID(),
      kind: 'chat',
      input: { text },
      ...more,
    } as RunRequest;
  }

  edit(instruction: string, text: string, more: Partial<SelectionEdit> = {}): RunRequest {
    const input: SelectionEdit = {
      instruction,
      path: 'a.ts',
      languageId: 'typescript',
      selection: { start: 0, end: 0, text },
      before: '',
      after: '',
      ...more,
    };
    return { id: crypto.randomUUID(), conversationId: crypto.randomUUID(), kind: 'edit', input };
  }

  /** An edit of files, given as path and text. */
  editFiles(instruction: string, files: Record<string, string>, more: Partial<FilesEdit> = {}): RunRequest {
    const given = Object.entries(files).map(([path, text]) => ({ path, languageId: 'typescript', text }));
    const input: FilesEdit = { instruction, files: given, ...more };
    return { id: crypto.randomUUID(), conversationId: crypto.randomUUID(), kind: 'edit', input };
  }

  /** A repair request for one block of a files edit. */
  repair(edit: RunRequest, more: Partial<RepairEdit> = {}): RunRequest {
    const refused = [{ path: 'a.ts', lookedFor: 'let b;', why: 'These lines are not in the file.', nearest: 'let a;' }];
    const input: RepairEdit = { repairs: edit.id, refused, ...more };
    return { id: crypto.randomUUID(), conversationId: edit.conversationId, kind: 'edit', input };
  }

  start(request: RunRequest): Promise<Answer<RunAnswer>> {
    return this.request('POST', '/api/runs', request);
  }

  /** Starts a run and reads its events to the end. */
  async run(request: RunRequest): Promise<SeenEvent[]> {
    const started = await this.start(request);
    if (started.status !== 202) throw new Error(`not started: ${JSON.stringify(started.body)}`);
    return this.events(request.id);
  }

  /** The events of a run after `after`, to its end or until `until` is true for one. */
  async events(runId: string, after = 0, until: (event: SeenEvent) => boolean = () => false): Promise<SeenEvent[]> {
    const stop = new AbortController();
    const seen: SeenEvent[] = [];
    const response = await fetch(`${this.url}/api/runs/${runId}/events?after=${after}`, {
      headers: await this.credentials('GET', `/api/runs/${runId}/events`),
      signal: stop.signal,
    });
    if (response.status !== 200) throw new Error(`no events: ${response.status} ${await response.text()}`);
    let enough = false;
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        if (enough) return;
        const one = { seq: Number(id), type: event, data: JSON.parse(data) } as SeenEvent;
        seen.push(one);
        enough = until(one);
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of chunksOf(response)) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      if (enough) break;
    }
    stop.abort();
    return seen;
  }

  account = () => this.request<AccountAnswer>('GET', '/api/account');
  log = (query = '') => this.request<LogAnswer>('GET', `/api/credits/log${query}`);
  conversations = (query = '') => this.request<ConversationsAnswer>('GET', `/api/conversations${query}`);
  conversation = (id: string, query = '') => this.request<Conversation>('GET', `/api/conversations/${id}${query}`);
  outcome = (runId: string, applied: number, refused = 0) =>
    this.request<OutcomeAnswer>('POST', `/api/runs/${runId}/outcome`, { applied, refused });
  stop = (runId: string) => this.request('POST', `/api/runs/${runId}/stop`);

  /** Available credits, in micro-credits. */
  async available(): Promise<number> {
    return (await this.account()).body.balance.availableMicro;
  }

  /**
   * Reads the account's change events. `next` resolves with the next change that `wanted` accepts, including changes
   * that came before the call. `ended` resolves when the server closes the stream.
   */
  async changes(): Promise<{
    next(wanted: (topic: string, id: string) => boolean): Promise<void>;
    close(): void;
    ended: Promise<void>;
  }> {
    const stop = new AbortController();
    const response = await fetch(`${this.url}/api/account/events`, {
      headers: await this.credentials('GET', '/api/account/events'),
      signal: stop.signal,
    });
    const seen: { topic: string; id: string }[] = [];
    let wake = () => {};
    const parser = createParser({
      onEvent: ({ data }) => {
        seen.push(JSON.parse(data));
        wake();
      },
    });
    const ended = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of chunksOf(response)) parser.feed(decoder.decode(bytes, { stream: true }));
    })().catch(() => {});
    return {
      async next(wanted) {
        for (;;) {
          const at = seen.findIndex((change) => wanted(change.topic, change.id));
          if (at >= 0) return void seen.splice(0, at + 1);
          await new Promise<void>((resolve) => (wake = resolve));
        }
      },
      close: () => stop.abort(),
      ended,
    };
  }
}

/** Node's fetch returns an async iterable; the web's types don't declare it. */
const chunksOf = (response: Response) => response.body as unknown as AsyncIterable<Uint8Array>;

/** The answer's text, assembled from the events. */
export function textOf(events: readonly SeenEvent[]): string {
  return events.reduce((text, e) => (e.type === 'text' ? text.slice(0, e.data.at) + e.data.text : text), '');
}

/** The terminal event; fails if there isn't exactly one, last. */
export function endOf(events: readonly SeenEvent[]): Extract<SeenEvent, { type: 'done' | 'error' }> {
  const terminal = events.filter((e) => e.type === 'done' || e.type === 'error');
  if (terminal.length !== 1 || terminal[0] !== events.at(-1))
    throw new Error(`not one terminal event at the end, but: ${events.map((e) => e.type).join(' ')}`);
  return terminal[0] as Extract<SeenEvent, { type: 'done' | 'error' }>;
}
