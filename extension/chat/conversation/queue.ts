import type { Memento } from 'vscode';
import type { Message } from '../../../shared/conversations.ts';
import { BackendError, localProblem } from '../../platform/server/backendError.ts';
import { AttachmentRefused, type StoredChip, shownChip } from '../context/attachments.ts';
import type { FromHost } from '../protocol.ts';

/** A message that waits for the end of an answer. `id` names its run, so that it is answered once, however often sent. */
export interface Queued {
  id: string;
  /** As it was typed. */
  text: string;
  /** The question that it stands for, if it is a command. */
  says?: string | undefined;
  chips: StoredChip[];
  /** Why it is not sent by itself: it waits for the user. */
  held?: string;
  /** It was sent, and the server did not refuse it: it may have its answer, even if none came here. */
  isTried?: true;
}

/** The part of an open conversation that the queue follows. */
interface Chat {
  id: string;
  messages: readonly Message[];
  /** Whether `messages` are what the server has. */
  isLoaded: boolean;
  refresh(): Promise<void>;
}

/** More than this is a plan, not a queue. */
const MOST = 10;

/**
 * The messages that were written while an answer ran, by chat. The first one is sent when this window has seen the
 * answer end well; after any other end they wait for the user. The editor stores them for this window alone: two windows
 * with the same chat never send each other's.
 */
export class Queue {
  /** By chat: the running answer that its messages wait for. */
  private readonly awaited = new Map<string, string>();
  /** By chat: the message that is being sent. */
  private readonly sending = new Map<string, string>();
  /** By chat: the message that is sent as soon as the stopped answer has ended. */
  private readonly interrupting = new Map<string, string>();
  /** What the view was told last. */
  private told = '';

  constructor(
    private readonly memory: Memento,
    private readonly deps: {
      /** Starts the message's run. Rejects with an `AttachmentRefused` or a `BackendError`. */
      start(chat: Chat, message: Queued): Promise<void>;
      stop(runId: string): Promise<void>;
      isShown(chatId: string): boolean;
      post(message: Extract<FromHost, { type: 'queue' }>): void;
    },
  ) {}

  of(chatId: string): readonly Queued[] {
    return this.memory.get<Queued[]>(key(chatId)) ?? [];
  }

  isSending(chatId: string): boolean {
    return this.sending.has(chatId);
  }

  /** Whether the chat must be followed although it is not shown: its messages are still sent by themselves. */
  isActive(chatId: string): boolean {
    return this.sending.has(chatId) || (this.awaited.has(chatId) && this.of(chatId).some(({ held }) => !held));
  }

  /**
   * Adds a message. If the answer has ended well meanwhile, the message is sent at once. Throws a `BackendError` if too
   * many wait.
   */
  async add(chat: Chat, message: Queued): Promise<void> {
    const queued = this.of(chat.id);
    if (queued.some(({ id }) => id === message.id)) return;
    if (queued.length >= MOST) {
      const detail = `${MOST} messages wait already. Send or remove one of them first.`;
      throw new BackendError('refused', localProblem('Too many messages wait', detail, 'invalid_request'));
    }
    const stored = this.store(chat.id, [...queued, message]);
    const last = chat.messages.findLast(isAnswer)?.runId;
    if (last && !this.awaited.has(chat.id)) this.awaited.set(chat.id, last);
    this.follow(chat);
    await stored;
  }

  /** Takes a message out. Undefined if it is being sent, or was sent. */
  take(chatId: string, id: string): Queued | undefined {
    const found = this.sending.get(chatId) === id ? undefined : this.of(chatId).find((message) => message.id === id);
    if (found) this.remove(chatId, id);
    // The view has dropped its row already.
    else this.forget();
    this.tell(chatId);
    return found;
  }

  /** Takes out all messages. */
  takeAll(chatId: string): readonly Queued[] {
    const all = this.of(chatId);
    if (all.length > 0) void this.store(chatId, []);
    for (const map of [this.awaited, this.interrupting]) map.delete(chatId);
    return all;
  }

  /** Sends a message before the others. Stops the running answer first, which keeps its text. */
  async sendNow(chat: Chat, id: string): Promise<void> {
    if (!chat.isLoaded) await chat.refresh();
    const message = this.of(chat.id).find((one) => one.id === id);
    if (!message || this.sending.has(chat.id)) return this.tell(chat.id);
    const runId = runningIn(chat.messages)?.runId;
    if (!runId) return this.send(chat, message);
    this.interrupting.set(chat.id, id);
    try {
      await this.deps.stop(runId);
    } catch (error) {
      // The answer may have ended by itself, and then the message was sent.
      if (this.interrupting.get(chat.id) !== id) return;
      this.interrupting.delete(chat.id);
      throw error;
    }
  }

  /** The chat's messages have changed: sends the next message if it is its turn, unless there is a reason to hold it. */
  follow(chat: Chat, reason?: string): void {
    const { id: chatId, messages } = chat;
    if (!chat.isLoaded) {
      this.tell(chatId);
      return;
    }
    // The server took them, although its answer may have been lost.
    for (const { id } of this.of(chatId)) if (messages.some(({ runId }) => runId === id)) this.remove(chatId, id);
    const queued = this.of(chatId);
    if (queued.length === 0) {
      this.awaited.delete(chatId);
      this.interrupting.delete(chatId);
      this.tell(chatId);
      return;
    }
    const runId = runningIn(messages)?.runId;
    if (runId) this.awaited.set(chatId, runId);
    if (runId || this.sending.has(chatId)) {
      this.tell(chatId);
      return;
    }
    const awaited = this.awaited.get(chatId);
    const interrupting = queued.find(({ id }) => id === this.interrupting.get(chatId));
    this.awaited.delete(chatId);
    this.interrupting.delete(chatId);
    const why = interrupting ? undefined : (reason ?? whyHeld(messages, awaited));
    for (const { id, held } of why ? queued : []) if (!held) void this.change(chatId, id, { held: why });
    const next = interrupting ?? this.of(chatId).find(({ held }) => !held);
    if (next) void this.send(chat, next, awaited);
    else this.tell(chatId);
  }

  /** A new page was loaded, which knows of no queue. */
  forget(): void {
    this.told = '';
  }

  /** Sends the chat's queue to the view, if it has changed and the chat is shown. */
  tell(chatId: string): void {
    if (!this.deps.isShown(chatId)) return;
    const messages = this.of(chatId).map(({ id, text, chips, held }) => ({
      id,
      text,
      chips: chips.map(shownChip),
      ...(held && { held }),
      ...(this.sending.get(chatId) === id && { isSending: true as const }),
    }));
    const telling = JSON.stringify([chatId, messages]);
    if (telling === this.told) return;
    this.told = telling;
    this.deps.post({ type: 'queue', chatId, messages });
  }

  private async send(chat: Chat, message: Queued, awaited?: string): Promise<void> {
    const { id: chatId } = chat;
    let reason: string | undefined;
    this.sending.set(chatId, message.id);
    void this.change(chatId, message.id, { held: undefined, isTried: true });
    this.tell(chatId);
    try {
      await this.deps.start(chat, message);
      this.remove(chatId, message.id);
      this.awaited.set(chatId, message.id);
    } catch (error) {
      reason = 'The message before it was not sent.';
      const { kind, problem } = BackendError.from(error);
      const isOffline = error instanceof BackendError && kind === 'offline';
      const isRefused = error instanceof AttachmentRefused || (kind === 'refused' && problem.status < 500);
      const isTried = isRefused ? undefined : (true as const);
      if (problem.code === 'conversation_busy') {
        // Another window or device was faster: wait for its answer.
        await chat.refresh().catch(() => {});
        const held = runningIn(chat.messages) ? undefined : problem.detail;
        void this.change(chatId, message.id, { held, isTried });
      } else if (isOffline && awaited !== undefined) {
        // The connection is lost. What is loaded once it is back says whether the run was started.
        this.awaited.set(chatId, awaited);
        this.sending.delete(chatId);
        return this.tell(chatId);
      } else {
        const held = error instanceof AttachmentRefused ? error.message : problem.detail || problem.title;
        void this.change(chatId, message.id, { held, isTried });
      }
    }
    this.sending.delete(chatId);
    this.follow(chat, reason);
  }

  private change(chatId: string, id: string, part: Partial<Queued>): Promise<void> {
    return this.store(
      chatId,
      this.of(chatId).map((message) => (message.id === id ? { ...message, ...part } : message)),
    );
  }

  private remove(chatId: string, id: string): void {
    void this.store(
      chatId,
      this.of(chatId).filter((message) => message.id !== id),
    );
  }

  private async store(chatId: string, messages: readonly Queued[]): Promise<void> {
    await this.memory.update(key(chatId), messages.length > 0 ? messages : undefined);
  }
}

const key = (chatId: string) => `queue ${chatId}`;

const isAnswer = ({ role }: Message) => role === 'assistant';
const runningIn = (messages: readonly Message[]) =>
  messages.findLast((message) => isAnswer(message) && message.state === 'running');

/**
 * Why messages that waited for this run are not sent by themselves; undefined if its answer ended well and is the last
 * message. Without a run, nobody has seen the answer end.
 */
function whyHeld(messages: readonly Message[], awaited: string | undefined): string | undefined {
  const last = messages.at(-1);
  if (!last) return WENT_ON;
  if (awaited === undefined) return 'The answer ended while this window was closed.';
  if (last.runId !== awaited || !isAnswer(last)) return WENT_ON;
  switch (last.state) {
    case 'stopped':
      return 'The answer was stopped.';
    case 'failed':
      return 'The answer failed.';
    case 'interrupted':
      return 'The answer was interrupted.';
  }
  if (last.cutShort) return 'The answer was cut short.';
  return last.text.trim() === '' ? 'The answer was empty.' : undefined;
}

const WENT_ON = 'The conversation went on without it.';
