import { inPrompt } from '../../../shared/answers/inPrompt.ts';
import type { Conversation, Message } from '../../../shared/conversations.ts';
import type { Run, RunEvent } from '../../../shared/runs.ts';
import type { Session } from '../../account/session/session.ts';
import type { Backend } from '../../backend.ts';
import { AnswerText } from '../../platform/answerText.ts';
import { Disposable } from '../../platform/dispose.ts';
import { Emitter } from '../../platform/emitter.ts';
import type { Log } from '../../platform/log.ts';
import { BackendError } from '../../platform/server/backendError.ts';
import { Backoff } from '../../platform/server/backoff.ts';
import type { FromHost } from '../protocol.ts';
import { TextFlow } from './textFlow.ts';

export interface ConversationDeps {
  session: Session;
  backend: Backend;
  log: Log;
  post(message: FromHost): void;
  /** Whether a run was started by this window. */
  isOwnRun(runId: string): boolean;
}

/**
 * The loaded part of the open conversation. The server owns the conversation, and this is a copy. Running answers are
 * read from their events; at their end, the server's message replaces the text assembled here.
 */
export class OpenConversation extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  /** The messages, the title or another shown part changed, except for the text of running answers. */
  readonly onDidChange = this.changed.event;
  title = '';
  pinned: true | undefined;
  messages: Message[] = [];
  /** Cursor for earlier messages; null at the beginning of the conversation. */
  before: string | null = null;
  /** Whether the server has it: a new chat is created there with its first message. */
  exists = false;
  /** Whether the messages are the server's, so that an empty list says something. */
  isLoaded = false;

  private readonly tails = new Map<string, AbortController>();
  private readonly flow: TextFlow;
  private readonly backoff = new Backoff();
  /** Grows with every local change. An answer that was requested before a change is out of date. */
  private generation = 0;
  private refreshing: Promise<void> | undefined;
  private again = false;

  constructor(
    readonly id: string,
    private readonly deps: ConversationDeps,
  ) {
    super();
    this.flow = new TextFlow((message) => deps.post(message));
    this._register({ dispose: () => this.flow.drop() });
    this._register({
      dispose: () => {
        for (const tail of this.tails.values()) tail.abort(new Error('closed'));
      },
    });
  }

  /** Running answers that this window did not start. */
  get elsewhere(): string[] {
    return this.messages
      .filter((message) => message.state === 'running' && message.runId && !this.deps.isOwnRun(message.runId))
      .map((message) => message.runId!);
  }

  /** Tokens of the conversation so far: the input and output of its last answer. */
  get contextTokens(): number {
    const last = inPrompt(this.messages).findLast((message) => message.usage);
    if (!last?.usage) return 0;
    // Of a summary, prompts have only what it says.
    return (last.summary ? 0 : last.usage.inputTokens) + last.usage.outputTokens;
  }

  /**
   * Sends the whole conversation to the view, including text that waits in the buffer. `moved`: the composer's text
   * came along from the previous chat.
   */
  tell(draft: string, moved?: true): void {
    this.flow.drop();
    const { title, messages, before, elsewhere, id: chatId } = this;
    const id = this.exists ? chatId : null;
    this.deps.post({ type: 'conversation', id, chatId, moved, title, messages, before, draft, elsewhere });
  }

  /**
   * Fetches the newest messages and shows what differs. Calls during a fetch share one further fetch. Rejects with a
   * `BackendError`; a conversation that the server doesn't have is empty.
   */
  refresh(): Promise<void> {
    if (this.refreshing) {
      this.again = true;
      return this.refreshing;
    }
    this.refreshing = (async () => {
      try {
        do {
          this.again = false;
          const generation = this.generation;
          const fetched = await this.fetch();
          if (this.isDisposed) return;
          if (generation === this.generation) this.take(fetched);
          else this.again = true;
        } while (this.again);
      } finally {
        this.refreshing = undefined;
      }
    })();
    return this.refreshing;
  }

  /** Adds a page of earlier messages. */
  async loadEarlier(before: string): Promise<void> {
    if (before !== this.before) return;
    const page = await this.deps.session.call((who) => this.deps.backend.conversation(who, this.id, { before }));
    if (this.isDisposed || before !== this.before) return;
    this.before = page.before;
    this.messages = [...page.messages, ...this.messages];
    this.deps.post({ type: 'earlier', messages: page.messages, before: page.before });
    this.followAll();
  }

  /** This window started a run: shows the question and an empty answer before the server has sent them. */
  started(run: Run, question: { text: string; replaces?: string; continues?: string; compacts?: true }): void {
    const at = question.replaces ? this.messages.findIndex(({ id }) => id === question.replaces) : -1;
    const removed = at < 0 ? [] : this.messages.slice(at).map(({ id }) => id);
    if (at >= 0) this.messages = this.messages.slice(0, at);
    const { kind, createdAt } = run;
    const added: Message[] = [];
    if (run.userMessageId && question.text && !this.messages.some(({ id }) => id === run.userMessageId)) {
      added.push({ id: run.userMessageId, role: 'user', kind, text: question.text, createdAt });
    }
    if (!this.messages.some(({ id }) => id === run.messageId)) {
      const { messageId: id, id: runId, model, device, clampedTo, effort } = run;
      const { continues } = question;
      added.push({
        id,
        role: 'assistant',
        kind,
        text: '',
        runId,
        state: run.state,
        model,
        device,
        clampedTo,
        effort,
        summary: question.compacts && 'unused',
        continues,
        createdAt,
      });
    }
    this.messages = [...this.messages, ...added];
    this.isLoaded = true;
    this.generation++;
    if (!this.exists) {
      this.exists = true;
      this.title ||= firstLine(question.text);
      this.tellWhole();
    } else this.update(added, removed);
    this.followAll();
  }

  private async fetch(): Promise<Conversation | null> {
    try {
      return await this.deps.session.call((who) => this.deps.backend.conversation(who, this.id, {}));
    } catch (error) {
      if (error instanceof BackendError && error.problem.code === 'not_found') return null;
      throw error;
    }
  }

  private take(fetched: Conversation | null): void {
    const wasKnown = this.exists;
    const old = new Map(this.messages.map((message) => [message.id, message]));
    this.exists = fetched !== null;
    this.isLoaded = true;
    const page = (fetched?.messages ?? []).map((message) => this.withText(message, old.get(message.id)));
    const first = page[0] ? this.messages.findIndex(({ id }) => id === page[0]!.id) : -1;
    const titleChanged = this.title !== (fetched?.title ?? '');
    this.title = fetched?.title ?? '';
    this.pinned = fetched?.pinned;
    if (!wasKnown || !fetched || (first < 0 && this.messages.length > 0)) {
      // A different conversation, or a gap after so many new messages: send the whole.
      const changed = wasKnown !== this.exists || this.messages.length > 0 || page.length > 0;
      this.messages = page;
      this.before = fetched?.before ?? null;
      if (changed) this.tellWhole();
    } else {
      const earlier = this.messages.slice(0, Math.max(0, first));
      const kept = new Set([...earlier, ...page].map(({ id }) => id));
      const removed = this.messages.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
      const upsert = page.filter((message) => JSON.stringify(message) !== JSON.stringify(old.get(message.id)));
      this.messages = [...earlier, ...page];
      if (earlier.length === 0) this.before = fetched.before;
      if (upsert.length > 0 || removed.length > 0 || titleChanged) this.update(upsert, removed);
    }
    for (const [runId, tail] of this.tails) {
      if (!this.messages.some((message) => message.runId === runId)) tail.abort(new Error('removed'));
    }
    this.followAll();
    this.changed.fire();
  }

  /** Set by the controller, which knows the draft. */
  tellWhole: (moved?: true) => void = (moved) => this.tell('', moved);

  /** A running answer has no text yet in the server's message; keep what its events said. */
  private withText(message: Message, known: Message | undefined): Message {
    if (message.state !== 'running' || !known) return message;
    return { ...message, text: known.text, thinking: known.thinking };
  }

  private update(upsert: Message[], removed: string[]): void {
    this.flow.flush();
    const { title, elsewhere } = this;
    this.deps.post({ type: 'messages', upsert, removed, title, elsewhere });
    this.changed.fire();
  }

  private followAll(): void {
    for (const { state, runId, id } of this.messages) {
      if (state === 'running' && runId && !this.tails.has(runId)) void this.follow(runId, id);
    }
  }

  /** Reads a running answer until the server says that the run has ended. Retries as often as needed. */
  private async follow(runId: string, messageId: string): Promise<void> {
    const tail = new AbortController();
    this.tails.set(runId, tail);
    let last = 0;
    const answer = new AnswerText();
    const isRunning = () => this.messages.some(({ id, state }) => id === messageId && state === 'running');
    try {
      for (let attempt = 0; isRunning() && !tail.signal.aborted; attempt++) {
        try {
          const who = await this.deps.session.credential();
          for await (const event of this.deps.backend.runEvents(who, runId, last, tail.signal)) {
            if (tail.signal.aborted) return;
            last = event.seq;
            attempt = 0;
            for (const told of answer.read(event)) this.apply(messageId, told);
          }
        } catch (error) {
          if (tail.signal.aborted) return;
          this.deps.log.warn(`The answer ${runId} could not be read on: ${BackendError.from(error).message}`);
          await this.deps.session.failed(error);
        }
        // Fetches the final message with its cost or, after a failure, whether the run still goes on.
        await this.refresh().catch((error) => this.deps.log.warn(BackendError.from(error).message));
        if (isRunning()) await this.backoff.wait(attempt, tail.signal);
      }
    } catch (error) {
      if (!tail.signal.aborted) this.deps.log.error(BackendError.from(error).message);
    } finally {
      this.tails.delete(runId);
    }
  }

  private apply(messageId: string, event: RunEvent): void {
    const at = this.messages.findIndex(({ id }) => id === messageId);
    const message = this.messages[at];
    if (!message) return;
    if (event.type === 'text') {
      const text = message.text.slice(0, event.data.at) + event.data.text;
      this.messages[at] = { ...message, text };
      this.flow.add({ type: 'text', messageId, ...event.data });
      return;
    }
    if (event.type === 'thinking') {
      const text = (message.thinking?.text ?? '').slice(0, event.data.at) + event.data.text;
      this.messages[at] = { ...message, thinking: { text, ms: event.data.ms } };
      this.flow.add({ type: 'thinking', messageId, ...event.data });
      return;
    }
    this.generation++;
    if (event.type === 'usage') {
      this.messages[at] = { ...message, usage: event.data };
      this.changed.fire();
      return;
    }
    const { chargedMicro } = event.data;
    const ending: Partial<Message> =
      event.type === 'done'
        ? { state: event.data.state, cutShort: event.data.cutShort, chargedMicro, reason: event.data.reason }
        : { state: 'failed', chargedMicro, problem: event.data };
    const ended = { ...message, ...ending };
    this.messages[at] = ended;
    this.update([ended], []);
  }
}

/** A provisional title until the server sends its own. */
function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length > 60 ? `${line.slice(0, 59).trimEnd()}…` : line;
}
