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
import { DAILY_CAP_HEADER, FOR_HEADER } from '../shared/constants.ts';
import type { Conversation, ConversationPatch, ConversationsAnswer } from '../shared/conversations.ts';
import type { LogAnswer, OffersAnswer } from '../shared/credits.ts';
import type { FetchedPage } from '../shared/fetch.ts';
import type { KeyRequest, NewKeyAnswer } from '../shared/keys.ts';
import type { ModelsAnswer } from '../shared/models.ts';
import type { Outcome, OutcomeAnswer, Run, RunAnswer, RunEvent, RunRequest, Spending } from '../shared/runs.ts';
import { Emitter } from './platform/emitter.ts';
import { BackendError, isRetryable, localProblem } from './platform/server/backendError.ts';
import { Backoff } from './platform/server/backoff.ts';
import { type Credential, OPEN, parseJson, parseWith, Wire, type WireOptions } from './platform/server/wire.ts';

/** A run event with its sequence number. Pass the number as `after` to resume the stream from there. */
export type NumberedRunEvent = RunEvent & { seq: number };

/** An item of the `accountEvents` stream: the state of the connection, or what changed on the server. */
export type AccountSignal =
  | { type: 'connected' }
  | { type: 'disconnected'; error: BackendError }
  | { type: 'change'; change: Change };

/**
 * The only client of the server's API. It keeps no token and no state. It checks each answer against its contract, and
 * throws every failure as a `BackendError`. The contracts (and zod with them) are loaded at the first answer.
 */
export class Backend {
  private readonly balances = new Emitter<Balance>();
  private readonly backoff = new Backoff();
  /** Fires for every answer and event that carries a balance. */
  readonly onDidChangeBalance = this.balances.event;
  private readonly wire: Wire;

  constructor(private readonly options: WireOptions) {
    this.wire = new Wire(options);
  }

  get device(): string {
    return this.options.device;
  }

  /** Makes a guest account. The server shows its token only once, in this answer. */
  async guest(): Promise<GuestAnswer> {
    return this.wire.json(
      'POST',
      '/api/guest',
      null,
      async () => (await import('../shared/account.ts')).GuestAnswerSchema,
      {},
    );
  }

  /** The ways to sign in on this server. */
  async signInOptions(): Promise<SignInOptions> {
    const schema = async () => (await import('../shared/auth.ts')).SignInOptionsSchema;
    return this.wire.json('GET', '/api/auth/options', null, schema);
  }

  /** Exchanges a sign-in grant for a token that is bound to the key of `who`. */
  async exchange(who: Credential, request: TokenRequest): Promise<TokenAnswer> {
    return this.wire.json('POST', '/api/auth/token', who, tokenAnswer, request);
  }

  /** A code to type in another browser; only the key of `who` can redeem it. */
  async startDevice(who: Credential, request: DeviceRequest): Promise<DeviceAnswer> {
    const schema = async () => (await import('../shared/auth.ts')).DeviceAnswerSchema;
    return this.wire.json('POST', '/api/auth/device', who, schema, request);
  }

  /** Another token for the same session. */
  async refresh(who: Credential): Promise<TokenAnswer> {
    return this.wire.json('POST', '/api/auth/refresh', who, tokenAnswer);
  }

  /** Ends this session on the server. */
  async signOut(who: Credential): Promise<void> {
    await this.wire.send('POST', '/api/auth/sign-out', who);
  }

  /** A code that opens the member's page signed in, once, within a minute. */
  async pageCode(who: Credential): Promise<PageCodeAnswer> {
    const schema = async () => (await import('../shared/auth.ts')).PageCodeAnswerSchema;
    return this.wire.json('POST', '/api/auth/page-code', who, schema);
  }

  /** Makes an API key. The server shows its secret only once, in this answer. */
  async createKey(who: Credential, request: KeyRequest): Promise<NewKeyAnswer> {
    const schema = async () => (await import('../shared/keys.ts')).NewKeyAnswerSchema;
    return this.wire.json('POST', '/api/keys', who, schema, request);
  }

  /** Accepts these terms, and confirms the age that they ask for. */
  async acceptTerms(who: Credential, version: string): Promise<void> {
    await this.wire.send('POST', '/api/account/terms', who, { version });
  }

  async account(who: Credential): Promise<AccountAnswer> {
    const schema = async () => (await import('../shared/account.ts')).AccountAnswerSchema;
    const answer = await this.wire.json('GET', '/api/account', who, schema);
    this.balances.fire(answer.balance);
    return answer;
  }

  async models(who: Credential): Promise<ModelsAnswer> {
    return this.wire.json(
      'GET',
      '/api/models',
      who,
      async () => (await import('../shared/models.ts')).ModelsAnswerSchema,
    );
  }

  /**
   * Asks a model in the dialect of chat completions, for another extension. Yields the chunks of the answer. Throws a
   * `BackendError` when the server refuses, or the answer breaks off; and the signal's reason on abort. `extension` is
   * empty if the editor does not say which one asks.
   */
  async *completion(
    who: Credential,
    request: unknown,
    asker: { extension: string; dailyCapMicro: number },
    signal: AbortSignal,
  ): AsyncGenerator<unknown> {
    const headers = { [FOR_HEADER]: asker.extension || 'unknown', [DAILY_CAP_HEADER]: String(asker.dailyCapMicro) };
    for await (const { data } of this.wire.answer('/v1/chat/completions', who, request, headers, signal)) {
      if (data === '[DONE]') return;
      // The first message only says that the stream is open.
      if (data !== '') yield parseJson(data);
    }
    throw BackendError.offline('The answer broke off before its end.');
  }

  /** Starts a run, or finds it started: the same request may be sent again after a lost answer. */
  async startRun(who: Credential, request: RunRequest): Promise<RunAnswer> {
    const schema = async () => (await import('../shared/runs.ts')).RunAnswerSchema;
    const answer = await this.wire.json('POST', '/api/runs', who, schema, request);
    this.balances.fire(answer.balance);
    return answer;
  }

  async run(who: Credential, runId: string): Promise<Run> {
    const schema = async () => (await import('../shared/runs.ts')).RunSchema;
    return this.wire.json('GET', `/api/runs/${encodeURIComponent(runId)}`, who, schema);
  }

  /**
   * Yields the events of a run after number `after` (0 for all) until its terminal event, and reconnects when the
   * network breaks. Throws a `BackendError` when the server refuses, and the signal's reason on abort.
   */
  async *runEvents(
    who: Credential,
    runId: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<NumberedRunEvent> {
    const { RUN_EVENT_SCHEMAS, mendEnd } = await import('../shared/runs.ts');
    let last = after;
    for (let attempt = 0; ; attempt++) {
      try {
        const path = `/api/runs/${encodeURIComponent(runId)}/events?after=${last}`;
        for await (const message of this.wire.sse(path, who, signal, last)) {
          const type = message.event as RunEvent['type'];
          if (!Object.hasOwn(RUN_EVENT_SCHEMAS, type)) continue;
          const seq = Number(message.id);
          // After a resume, the server may repeat events; a repeated one would be shown twice.
          if (!Number.isSafeInteger(seq) || seq <= last) continue;
          const data = parseWith(RUN_EVENT_SCHEMAS[type] as ZodType, mendEnd(type, parseJson(message.data)));
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

  /** Has the server read a page of the web as text. */
  async fetchPage(who: Credential, url: string): Promise<FetchedPage> {
    const schema = async () => (await import('../shared/fetch.ts')).FetchedPageSchema;
    try {
      return await this.wire.json('POST', '/api/fetch', who, schema, { url });
    } catch (error) {
      if (!(error instanceof BackendError) || (error.cause as Error | undefined)?.name !== 'TimeoutError') throw error;
      // It says something about the page, and not that the server can't be reached.
      const detail = 'The server has not read it in time. Try again later, or paste the text instead.';
      throw new BackendError('refused', localProblem('The page takes too long', detail, 'page_too_slow'), error);
    }
  }

  /** Asks the server to end a run. It keeps and charges the text so far; the terminal event reports both. */
  async stopRun(who: Credential, runId: string): Promise<void> {
    await this.wire.send('POST', `/api/runs/${encodeURIComponent(runId)}/stop`, who);
  }

  /** Reports the outcome of an edit. Safe to repeat after a lost answer. */
  async outcome(who: Credential, runId: string, outcome: Outcome): Promise<OutcomeAnswer> {
    const schema = async () => (await import('../shared/runs.ts')).OutcomeAnswerSchema;
    const path = `/api/runs/${encodeURIComponent(runId)}/outcome`;
    const answer = await this.wire.json('POST', path, who, schema, outcome);
    this.balances.fire(answer.balance);
    return answer;
  }

  async conversations(
    who: Credential,
    query: { search?: string; kind?: 'chat' | 'edit'; before?: string; limit?: number },
  ): Promise<ConversationsAnswer> {
    const schema = async () => (await import('../shared/conversations.ts')).ConversationsAnswerSchema;
    return this.wire.json('GET', `/api/conversations${queryString(query)}`, who, schema);
  }

  async conversation(who: Credential, id: string, query: { before?: string; limit?: number }): Promise<Conversation> {
    const { UnmendedConversationSchema, mendMessage } = await import('../shared/conversations.ts');
    const schema = async () => UnmendedConversationSchema;
    const path = `/api/conversations/${encodeURIComponent(id)}${queryString(query)}`;
    const conversation = await this.wire.json('GET', path, who, schema);
    const { splitThoughts } = await import('../shared/answers/thoughts.ts');
    // Parse each message by itself: one that does not fit must not cost the others. An older server keeps a model's
    // thoughts in its answers.
    const messages = conversation.messages
      .map(mendMessage)
      .map((message) =>
        message.role === 'assistant' ? { ...message, text: splitThoughts(message.text).text } : message,
      );
    return { ...conversation, messages };
  }

  async change(who: Credential, id: string, patch: ConversationPatch): Promise<void> {
    await this.wire.send('PATCH', `/api/conversations/${encodeURIComponent(id)}`, who, patch);
  }

  async delete(who: Credential, id: string): Promise<void> {
    await this.wire.send('DELETE', `/api/conversations/${encodeURIComponent(id)}`, who);
  }

  /** The whole conversation as Markdown. */
  async exportMarkdown(who: Credential, id: string): Promise<string> {
    const response = await this.wire.send('GET', `/api/conversations/${encodeURIComponent(id)}/export`, who);
    return response.text();
  }

  /** The bytes of an attached picture, by its attachment's id. */
  async picture(who: Credential, id: string): Promise<{ mediaType: string; bytes: Uint8Array }> {
    const path = id.split('/').map(encodeURIComponent).join('/');
    const response = await this.wire.send('GET', `/api/attachments/${path}`, who);
    const mediaType = response.headers.get('content-type') ?? '';
    return { mediaType, bytes: new Uint8Array(await response.arrayBuffer()) };
  }

  async log(who: Credential, query: { before?: string; limit?: number }): Promise<LogAnswer> {
    const schema = async () => (await import('../shared/credits.ts')).LogAnswerSchema;
    return this.wire.json('GET', `/api/credits/log${queryString(query)}`, who, schema);
  }

  /** What this server sells, and the account's plan. */
  async offers(who: Credential): Promise<OffersAnswer> {
    const schema = async () => (await import('../shared/credits.ts')).OffersAnswerSchema;
    return this.wire.json('GET', '/api/credits/offers', who, schema);
  }

  /** What the account spent since an instant (ISO 8601, UTC), by conversation, highest first. */
  async spending(who: Credential, since: string): Promise<Spending> {
    const schema = async () => (await import('../shared/runs.ts')).SpendingSchema;
    return this.wire.json('GET', `/api/runs/spending${queryString({ since })}`, who, schema);
  }

  /**
   * Yields the changes on the server until the signal aborts. It reconnects by itself, and also yields when the
   * connection opens and when it breaks. Throws only when the server refuses for good (401), and the signal's reason on
   * abort.
   */
  async *accountEvents(who: Credential, signal: AbortSignal): AsyncGenerator<AccountSignal> {
    const { ChangeSchema, TopicSchema } = await import('../shared/account.ts');
    for (let attempt = 0; ; attempt++) {
      try {
        const messages = this.wire.sse('/api/account/events', who, signal, undefined, () => {
          attempt = 0;
        });
        for await (const message of messages) {
          if (message.event === OPEN) yield { type: 'connected' };
          else if (message.event === 'change') {
            const change = parseJson(message.data);
            // A newer server may tell of more than this version shows.
            const { topic } = (change ?? {}) as { topic?: unknown };
            if (typeof topic === 'string' && !TopicSchema.safeParse(topic).success) continue;
            yield { type: 'change', change: parseWith(ChangeSchema, change) };
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

  /** Ends every wait before a retry. */
  retryNow(): void {
    this.backoff.wake();
  }
}

const tokenAnswer = async () => (await import('../shared/auth.ts')).TokenAnswerSchema;

function queryString(query: Record<string, string | number | undefined>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}
