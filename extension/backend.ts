import type { ZodType } from 'zod';
import type { AccountAnswer, Balance, Change, GuestAnswer } from '../shared/account.ts';
import type {
  DeviceAnswer,
  DeviceRequest,
  PageCodeAnswer,
  SignInOptions,
  TokenAnswer,
  TokenRequest,
} from '../shared/auth.ts';
import type { Conversation, ConversationsAnswer } from '../shared/conversations.ts';
import type { LogAnswer, OffersAnswer } from '../shared/credits.ts';
import type { ModelsAnswer } from '../shared/models.ts';
import type { Outcome, OutcomeAnswer, RunAnswer, RunEvent, RunRequest, Spending } from '../shared/runs.ts';
import { BackendError, describeCause, isRetryable } from './backendError.ts';
import { Backoff } from './platform/backoff.ts';
import { Emitter } from './platform/emitter.ts';
import type { ServerUrl } from './platform/serverUrl.ts';
import { readSse, type SseMessage } from './sse.ts';

/** The server sends a comment line each 15 s; three missing in a row mean that nobody is there any more. */
const SILENCE_MS = 45_000;
/** How long an answer that is no stream may take, body included. */
const ANSWER_MS = 30_000;

/** Who calls. It makes the headers of each request anew, since a proof of a key is good for one. */
export interface Credential {
  /** What the server knows the caller by; null for a key that has no token yet. */
  readonly token: string | null;
  /** `url` is absolute. */
  headers(method: string, url: string): Promise<Record<string, string>>;
  /** The server refused a proof at this time of its clock (its `Date` header): whether another one may do better. */
  takeTime?(date: string | null): boolean;
}

export interface BackendOptions {
  baseUrl(): ServerUrl;
  fetch: typeof fetch;
  /** How this client names itself, in printable ASCII. */
  device: string;
}

/** A run's event with its number, which is what a later tail passes as `after`. */
export type NumberedRunEvent = RunEvent & { seq: number };

/** What `accountEvents` tells: the connection's state, and what changed on the server. */
export type AccountSignal =
  | { type: 'connected' }
  | { type: 'disconnected'; error: BackendError }
  | { type: 'change'; change: Change };

/**
 * The only place that speaks to the server. It keeps no token and no state; each answer is checked against its contract,
 * and whatever goes wrong is a `BackendError`. The contracts (and zod with them) are loaded at the first answer.
 */
export class Backend {
  private readonly balances = new Emitter<Balance>();
  private readonly backoff = new Backoff();
  /** Fires for every answer and event that carries a balance. */
  readonly onDidChangeBalance = this.balances.event;

  constructor(private readonly options: BackendOptions) {}

  get device(): string {
    return this.options.device;
  }

  /** Makes a guest account. The token is shown once, here. */
  async guest(): Promise<GuestAnswer> {
    return this.json(
      'POST',
      '/api/guest',
      null,
      async () => (await import('../shared/account.ts')).GuestAnswerSchema,
      {},
    );
  }

  /** How one can sign in on this server. */
  async signInOptions(): Promise<SignInOptions> {
    const schema = async () => (await import('../shared/auth.ts')).SignInOptionsSchema;
    return this.json('GET', '/api/auth/options', null, schema);
  }

  /** Exchanges what somebody got for signing in for a token that is bound to the key of `who`. */
  async exchange(who: Credential, request: TokenRequest): Promise<TokenAnswer> {
    return this.json('POST', '/api/auth/token', who, tokenAnswer, request);
  }

  /** A code to type in another browser; only the key of `who` can redeem it. */
  async startDevice(who: Credential, request: DeviceRequest): Promise<DeviceAnswer> {
    const schema = async () => (await import('../shared/auth.ts')).DeviceAnswerSchema;
    return this.json('POST', '/api/auth/device', who, schema, request);
  }

  /** Another token for the same session. */
  async refresh(who: Credential): Promise<TokenAnswer> {
    return this.json('POST', '/api/auth/refresh', who, tokenAnswer);
  }

  /** Ends this session on the server. */
  async signOut(who: Credential): Promise<void> {
    await this.send('POST', '/api/auth/sign-out', who);
  }

  /** A code that opens the member's page signed in, once, within a minute. */
  async pageCode(who: Credential): Promise<PageCodeAnswer> {
    const schema = async () => (await import('../shared/auth.ts')).PageCodeAnswerSchema;
    return this.json('POST', '/api/auth/page-code', who, schema);
  }

  /** Accepts these terms, and confirms the age that they ask for. */
  async acceptTerms(who: Credential, version: string): Promise<void> {
    await this.send('POST', '/api/account/terms', who, { version });
  }

  async account(who: Credential): Promise<AccountAnswer> {
    const schema = async () => (await import('../shared/account.ts')).AccountAnswerSchema;
    const answer = await this.json('GET', '/api/account', who, schema);
    this.balances.fire(answer.balance);
    return answer;
  }

  async models(who: Credential): Promise<ModelsAnswer> {
    return this.json('GET', '/api/models', who, async () => (await import('../shared/models.ts')).ModelsAnswerSchema);
  }

  /** Starts a run, or finds it started: the same request may be sent again after a lost answer. */
  async startRun(who: Credential, request: RunRequest): Promise<RunAnswer> {
    const schema = async () => (await import('../shared/runs.ts')).RunAnswerSchema;
    const answer = await this.json('POST', '/api/runs', who, schema, request);
    this.balances.fire(answer.balance);
    return answer;
  }

  /**
   * The events of a run after number `after` (0 for all), through whatever interruptions of the network, until its
   * terminal event. Throws a `BackendError` when the server refuses, and the signal's reason on abort.
   */
  async *runEvents(
    who: Credential,
    runId: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<NumberedRunEvent> {
    const { RUN_EVENT_SCHEMAS } = await import('../shared/runs.ts');
    let last = after;
    for (let attempt = 0; ; attempt++) {
      try {
        const path = `/api/runs/${encodeURIComponent(runId)}/events?after=${last}`;
        for await (const message of this.sse(path, who, signal, last)) {
          const type = message.event as RunEvent['type'];
          if (!Object.hasOwn(RUN_EVENT_SCHEMAS, type)) continue;
          const seq = Number(message.id);
          // A repeat after a resume would be shown twice.
          if (!Number.isSafeInteger(seq) || seq <= last) continue;
          const data = parseWith(RUN_EVENT_SCHEMAS[type] as ZodType, parseJson(message.data));
          last = seq;
          attempt = 0;
          const event = { type, data, seq } as NumberedRunEvent;
          if ((event.type === 'done' || event.type === 'error') && event.data.balance) {
            this.balances.fire(event.data.balance);
          }
          yield event;
          if (type === 'done' || type === 'error') return;
        }
      } catch (error) {
        if (signal.aborted || !isRetryable(error)) throw error;
      }
      await this.backoff.wait(attempt, signal);
    }
  }

  /** Asks the server to end a run. What was produced is kept and charged; the terminal event tells. */
  async stopRun(who: Credential, runId: string): Promise<void> {
    await this.send('POST', `/api/runs/${encodeURIComponent(runId)}/stop`, who);
  }

  /** Tells once what became of an edit; the same may be told again after a lost answer. */
  async outcome(who: Credential, runId: string, outcome: Outcome): Promise<OutcomeAnswer> {
    const schema = async () => (await import('../shared/runs.ts')).OutcomeAnswerSchema;
    const path = `/api/runs/${encodeURIComponent(runId)}/outcome`;
    const answer = await this.json('POST', path, who, schema, outcome);
    this.balances.fire(answer.balance);
    return answer;
  }

  async conversations(
    who: Credential,
    query: { search?: string; before?: string; limit?: number },
  ): Promise<ConversationsAnswer> {
    const schema = async () => (await import('../shared/conversations.ts')).ConversationsAnswerSchema;
    return this.json('GET', `/api/conversations${queryString(query)}`, who, schema);
  }

  async conversation(who: Credential, id: string, query: { before?: string; limit?: number }): Promise<Conversation> {
    const schema = async () => (await import('../shared/conversations.ts')).ConversationSchema;
    return this.json('GET', `/api/conversations/${encodeURIComponent(id)}${queryString(query)}`, who, schema);
  }

  async rename(who: Credential, id: string, title: string): Promise<void> {
    await this.send('PATCH', `/api/conversations/${encodeURIComponent(id)}`, who, { title });
  }

  async delete(who: Credential, id: string): Promise<void> {
    await this.send('DELETE', `/api/conversations/${encodeURIComponent(id)}`, who);
  }

  /** The whole conversation as Markdown. */
  async exportMarkdown(who: Credential, id: string): Promise<string> {
    const response = await this.send('GET', `/api/conversations/${encodeURIComponent(id)}/export`, who);
    return response.text();
  }

  async log(who: Credential, query: { before?: string; limit?: number }): Promise<LogAnswer> {
    const schema = async () => (await import('../shared/credits.ts')).LogAnswerSchema;
    return this.json('GET', `/api/credits/log${queryString(query)}`, who, schema);
  }

  /** What is sold here, and the plan that the account has. */
  async offers(who: Credential): Promise<OffersAnswer> {
    const schema = async () => (await import('../shared/credits.ts')).OffersAnswerSchema;
    return this.json('GET', '/api/credits/offers', who, schema);
  }

  /** What was spent since an instant (ISO 8601, UTC), by conversation, most first. */
  async spending(who: Credential, since: string): Promise<Spending> {
    const schema = async () => (await import('../shared/runs.ts')).SpendingSchema;
    return this.json('GET', `/api/runs/spending${queryString({ since })}`, who, schema);
  }

  /**
   * What changes on the server, for as long as the signal lets it; the connection comes back by itself and tells when it
   * is there and when it broke. Throws only when the server refuses for good (401), and the signal's reason on abort.
   */
  async *accountEvents(who: Credential, signal: AbortSignal): AsyncGenerator<AccountSignal> {
    const { ChangeSchema } = await import('../shared/account.ts');
    for (let attempt = 0; ; attempt++) {
      try {
        const messages = this.sse('/api/account/events', who, signal, undefined, () => {
          attempt = 0;
        });
        for await (const message of messages) {
          if (message.event === OPEN) yield { type: 'connected' };
          else if (message.event === 'change') {
            yield { type: 'change', change: parseWith(ChangeSchema, parseJson(message.data)) };
          }
        }
        yield { type: 'disconnected', error: BackendError.offline('The server ended the connection.') };
      } catch (error) {
        if (signal.aborted || !(error instanceof BackendError) || error.problem.code === 'unauthorized') throw error;
        yield { type: 'disconnected', error };
      }
      await this.backoff.wait(attempt, signal);
    }
  }

  /** Ends every wait before another try. */
  retryNow(): void {
    this.backoff.wake();
  }

  private async json<T>(
    method: string,
    path: string,
    who: Credential | null,
    schema: () => Promise<ZodType<T>>,
    body?: unknown,
  ): Promise<T> {
    const response = await this.send(method, path, who, body);
    let text: string;
    try {
      text = await response.text();
    } catch (error) {
      throw BackendError.offline(`The connection broke in the middle of the answer: ${describeCause(error)}.`, error);
    }
    return parseWith(await schema(), parseJson(text));
  }

  private async send(method: string, path: string, who: Credential | null, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json, text/markdown' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    return this.request(path, who, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  }

  private async *sse(
    path: string,
    who: Credential,
    signal: AbortSignal,
    lastEventId?: number,
    onOpen?: () => void,
  ): AsyncGenerator<SseMessage> {
    const broken = new AbortController();
    let silence: ReturnType<typeof setTimeout> | undefined;
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => broken.abort(new Error(`nothing was heard for ${SILENCE_MS / 1000} s`)), SILENCE_MS);
    };
    const abort = () => broken.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    alive();
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (lastEventId) headers['last-event-id'] = String(lastEventId);
      const response = await this.request(path, who, { headers, signal: broken.signal });
      if (!/^text\/event-stream/.test(response.headers.get('content-type') ?? '') || !response.body) {
        throw BackendError.wrongServer(
          'The server is no Perigee server: where events were expected, it sent something else.',
        );
      }
      onOpen?.();
      yield { event: OPEN, data: '', id: undefined };
      yield* readSse(response.body, alive);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof BackendError) throw error;
      const cause = broken.signal.aborted ? broken.signal.reason : error;
      throw BackendError.offline(`The connection broke: ${describeCause(cause)}.`, error);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener('abort', abort);
      broken.abort();
    }
  }

  /** A successful response; everything else is thrown as a `BackendError`. */
  private async request(path: string, who: Credential | null, init: RequestInit): Promise<Response> {
    const base = this.options.baseUrl();
    if ('wrong' in base) throw BackendError.wrongServer(base.wrong);
    const headers = new Headers(init.headers);
    headers.set('perigee-device', this.options.device);
    const url = base.url + path;
    for (let attempt = 0; ; attempt++) {
      const proven = await who?.headers(init.method ?? 'GET', url);
      for (const [name, value] of Object.entries(proven ?? {})) headers.set(name, value);
      let response: Response;
      try {
        response = await this.options.fetch(url, { ...init, headers });
      } catch (error) {
        if (init.signal?.aborted && init.signal.reason?.name !== 'TimeoutError') throw error;
        throw BackendError.offline(`${base.url} cannot be reached: ${describeCause(error)}.`, error);
      }
      if (response.ok) return response;
      const error = await BackendError.fromResponse(response, base.url);
      const isClock = error.problem.code === 'invalid_dpop_proof' && who?.takeTime?.(response.headers.get('date'));
      if (!isClock || attempt > 0) throw error;
    }
  }
}

const tokenAnswer = async () => (await import('../shared/auth.ts')).TokenAnswerSchema;

/** Marks the moment at which a stream of events is open; not an event name that the server could send. */
const OPEN = '\u0000open';

function queryString(query: Record<string, string | number | undefined>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw BackendError.wrongServer(
      'The server is no Perigee server: it answered with something that is not JSON.',
      error,
    );
  }
}

function parseWith<T>(schema: ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw BackendError.wrongServer(
    `The server is no Perigee server, or of another version: its answer does not fit${where && ` at "${where}"`}.`,
    parsed.error,
  );
}
