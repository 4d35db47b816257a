import type * as vscode from 'vscode';
import type { Offers } from '../../../extension/account/offers.ts';
import type { Session } from '../../../extension/account/session/session.ts';
import type { Backend } from '../../../extension/backend.ts';
import type { ChatEdits } from '../../../extension/chat/answers/answerChanges.ts';
import type { Finder } from '../../../extension/chat/context/foundContext.ts';
import { ChatController } from '../../../extension/chat/controller.ts';
import type { FromHost, Surroundings, ToHost } from '../../../extension/chat/protocol.ts';
import type { ChatView } from '../../../extension/chat/view.ts';
import { Emitter } from '../../../extension/platform/emitter.ts';
import { Instructions } from '../../../extension/platform/instructions/instructions.ts';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import type { Message } from '../../../shared/conversations.ts';
import type { FetchedPage } from '../../../shared/fetch.ts';
import type { Model } from '../../../shared/models.ts';
import type { RunEvent, RunRequest } from '../../../shared/runs.ts';
import { perigee, sampleFile } from '../window.ts';

export class Memory implements vscode.Memento {
  readonly values = new Map<string, unknown>();
  keys = () => [...this.values.keys()];
  get = (key: string, fallback?: unknown) => (this.values.has(key) ? this.values.get(key) : fallback) as never;
  async update(key: string, value: unknown) {
    // As the editor does: what is kept is a copy.
    if (value === undefined) this.values.delete(key);
    else this.values.set(key, JSON.parse(JSON.stringify(value)));
  }
}

const saidBy = (role: Message['role'], text: string): Message => ({
  ...{ id: crypto.randomUUID(), role, kind: 'chat', text },
  createdAt: '2026-11-21T09:00:00Z',
});

const notFound = () => new BackendError('refused', { ...localProblem('No', 'no', 'not_found'), status: 404 });

/** A window with a page and a server that are played by the test. */
export class Scene {
  readonly told: FromHost[] = [];
  readonly requests: RunRequest[] = [];
  readonly received = new Emitter<unknown>();
  readonly session = {
    state: { kind: 'ok' } as Session['state'],
    account: { id: 'somebody', kind: 'member', createdAt: '2026-11-01T00:00:00Z' } as Session['account'],
    balance: null,
    changed: new Emitter<void>(),
    connect: new Emitter<void>(),
    /** Calls the server as the account. */
    call: (use: (who: unknown) => unknown): unknown => use({}),
  };
  /** What the server does with each message; undefined: takes it. */
  answer: (request: RunRequest) => Promise<BackendError | undefined> = async () => undefined;
  /** What the server knows of a run, or why it can't tell. */
  run: (id: string) => Promise<BackendError | undefined> = async (id) =>
    this.requests.some((request) => request.id === id) ? undefined : notFound();
  /** The index of the workspace; the extension's own unless a test plays it. */
  index: () => Promise<Finder> = async () => (await perigee()).index();
  /** What the server has of every conversation; undefined: it knows none, and its answers end at once. */
  messages: Message[] | undefined;
  /** What the server reads of a web page; absent: it reads none for this account. */
  fetchPage: ((url: string) => Promise<FetchedPage>) | undefined;
  /** What the server offers. */
  models: Model[] = [];
  /** The pictures that the server has, by attachment. */
  readonly pictures = new Map<string, Uint8Array>();
  /** Until it resolves, no conversation is read. */
  reading: Promise<void> = Promise.resolve();
  readonly stopped: string[] = [];
  stop = async (runId: string) => {
    this.stopped.push(runId);
    this.end(runId, { state: 'stopped' });
  };
  private readonly ends = new Map<string, () => void>();
  private listening = false;
  private readonly instructions = new Instructions();
  readonly controller: ChatController;

  constructor(
    readonly windowMemory = new Memory(),
    readonly memory = new Memory(),
    account = 'somebody',
  ) {
    this.session.account!.id = account;
    const { session, received, told, requests } = this;
    const view = {
      onDidReceive: received.event,
      listens: () => {
        this.listening = true;
      },
      post: (message: FromHost) => this.listening && told.push(structuredClone(message)),
      reveal: async () => {},
    };
    Object.defineProperty(view, 'isListening', { get: () => this.listening });
    const noEvent = new Emitter<never>().event;
    const pages = () => (this.fetchPage ? { pagesPerHour: 20 } : {});
    this.controller = new ChatController({
      view: view as unknown as ChatView,
      session: {
        get state() {
          return session.state;
        },
        get account() {
          return session.account;
        },
        get limits() {
          return pages();
        },
        balance: null,
        notices: [],
        onDidChange: session.changed.event,
        onDidConnect: session.connect.event,
        onDidChangeConversation: noEvent,
        begin: async () => {},
        call: (use: (who: unknown) => unknown) => session.call(use),
        credential: async () => ({}),
        failed: async () => {},
      } as unknown as Session,
      offers: { options: undefined, onDidChange: noEvent, load: async () => {} } as unknown as Offers,
      backend: {
        device: 'here',
        fetchPage: (_: unknown, url: string) => this.fetchPage!(url),
        models: async () => ({ models: this.models }),
        picture: async (_: unknown, id: string) => {
          const bytes = this.pictures.get(id);
          if (!bytes) throw notFound();
          return { mediaType: 'image/png', bytes };
        },
        conversation: async () => {
          await this.reading;
          if (!this.messages) throw notFound();
          return { id: '', title: 'A chat', messages: structuredClone(this.messages), before: null };
        },
        runEvents: (_: unknown, runId: string) => this.events(runId),
        stopRun: (_: unknown, runId: string) => this.stop(runId),
        run: async (_: unknown, id: string) => {
          const refusal = await this.run(id);
          if (refusal) throw refusal;
        },
        startRun: async (_: unknown, request: RunRequest) => {
          requests.push(request);
          const refusal = await this.answer(request);
          if (refusal) throw refusal;
          const { id, conversationId } = request;
          if (this.messages) return { run: this.take(request, this.messages) };
          const run = { id, conversationId, messageId: crypto.randomUUID(), userMessageId: crypto.randomUUID() };
          return { run: { ...run, kind: 'chat', state: 'complete', createdAt: '2026-11-21T09:00:00Z' } };
        },
      } as unknown as Backend,
      windowMemory: this.windowMemory,
      memory: this.memory,
      edits: { checkpoints: async () => ({ all: async () => [], onDidChange: noEvent }) } as unknown as ChatEdits,
      index: () => this.index(),
      instructions: this.instructions,
      userPrompts: sampleFile('../prompts-of-the-user'),
      pictures: sampleFile('more/pictures'),
      log: { info() {}, warn() {}, error() {} },
    } as never);
  }

  dispose(): void {
    this.controller.dispose();
    this.instructions.dispose();
  }

  /** Sends a text as the page would, with the implicit chip that it shows. Resolves to the request and the answer. */
  async send(
    text: string,
    part: { replaces?: string } = {},
  ): Promise<{ request: RunRequest | undefined; told: FromHost }> {
    const [sent, from] = [this.requests.length, this.told.length];
    const implicit = this.last('surroundings')!.value.chips.find((chip) => chip.implicit)?.id;
    const message = {
      type: 'send' as const,
      requestId: crypto.randomUUID(),
      text,
      chatId: this.chatId,
      implicit,
      ...part,
    };
    this.say(JSON.parse(JSON.stringify(message)));
    const isAnswer = ({ type }: FromHost) => type === 'sent' || type === 'notSent';
    for (;;) {
      const told = this.told.slice(from).find(isAnswer);
      if (told) return { request: this.requests[sent], told };
      await new Promise((done) => setTimeout(done));
    }
  }

  /** As the server: one answer at a time in a conversation, and one for each id. */
  private take({ id, conversationId, input }: RunRequest, messages: Message[]): object {
    const there = messages.find(({ role, runId }) => role === 'assistant' && runId === id);
    const busy = messages.find(({ state }) => state === 'running');
    if (busy && !there) {
      const problem = { ...localProblem('Busy', 'busy', 'conversation_busy'), status: 409, runId: busy.runId };
      throw new BackendError('refused', problem);
    }
    const answer = there ?? this.runningAnswer(id);
    if (!there) messages.push(saidBy('user', 'text' in input ? input.text : ''), answer);
    const { createdAt, state } = answer;
    return { id, conversationId, messageId: answer.id, userMessageId: null, kind: 'chat', state, createdAt };
  }

  /** An answer that runs until `end`. */
  runningAnswer(runId: string = crypto.randomUUID()): Message {
    return { ...saidBy('assistant', ''), runId, state: 'running' };
  }

  /** An answer ends: well, unless `part` says otherwise. */
  end(runId: string, part: Partial<Message> = {}): void {
    this.messages = this.messages!.map((message) =>
      message.runId === runId ? { ...message, state: 'complete', text: 'Yes.', chargedMicro: 1, ...part } : message,
    );
    this.ends.get(runId)?.();
  }

  private async *events(runId: string): AsyncGenerator<RunEvent & { seq: number }> {
    const isRunning = () => this.messages?.some((message) => message.runId === runId && message.state === 'running');
    if (isRunning()) await new Promise<void>((resolve) => this.ends.set(runId, resolve));
  }

  say(...messages: ToHost[]): void {
    for (const message of messages) this.received.fire(message);
  }
  last<T extends FromHost['type']>(type: T): Extract<FromHost, { type: T }> | undefined {
    return this.told.findLast((message) => message.type === type) as never;
  }
  /** Resolves when the host has told so many messages of a type. */
  async until(type: FromHost['type'], count = 1): Promise<void> {
    while (this.told.filter((message) => message.type === type).length < count)
      await new Promise((done) => setTimeout(done));
  }
  /** Resolves to what is around the conversation, once that is so. */
  async surroundings(isSo: (value: Surroundings) => boolean): Promise<Surroundings> {
    for (;;) {
      const value = this.last('surroundings')?.value;
      if (value && isSo(value)) return value;
      await new Promise((done) => setTimeout(done));
    }
  }
  get chatId(): string {
    return this.last('conversation')!.chatId!;
  }
  draft(chatId = this.chatId): string {
    return (this.windowMemory.values.get(`draft ${chatId}`) as { text?: string } | undefined)?.text ?? '';
  }
}
