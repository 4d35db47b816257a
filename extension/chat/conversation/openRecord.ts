import type { Memento } from 'vscode';
import { timeOrderedId } from '../../../shared/ids.ts';

/** Runs of this window that are remembered, to tell them from those of other devices; and so many retries. */
const MOST_RUNS = 50;

interface Stored {
  openId: string;
  /** A chat that has not been started yet: its id is made before its first message, so that its draft has a place. */
  newId: string;
  accountId?: string;
  runs: string[];
  /** Requests that were taken under the name of an earlier try: the server does not know them by their own. */
  retries: string[];
}

/** Which conversation this window shows, over reloads and kills, and which runs it started. */
export class OpenRecord {
  private stored: Stored;

  constructor(private readonly memory: Memento) {
    const newId = timeOrderedId();
    const stored = memory.get<Partial<Stored>>(KEY);
    this.stored = {
      newId: stored?.newId ?? newId,
      openId: stored?.openId ?? stored?.newId ?? newId,
      accountId: stored?.accountId,
      runs: stored?.runs ?? [],
      retries: stored?.retries ?? [],
    };
    // At once: a draft that is kept under an id nobody remembers would be lost.
    if (!stored) void this.store();
  }

  get openId(): string {
    return this.stored.openId;
  }

  open(id: string): Promise<void> {
    this.stored.openId = id;
    return this.store();
  }

  /** The id of the chat that has not been started: the same until it is, with its draft; or really a new one. */
  newChat(fresh = false): string {
    if (fresh) {
      this.stored.newId = timeOrderedId();
      void this.store();
    }
    return this.stored.newId;
  }

  /** A conversation has its first message: the next new chat is another one. */
  async started(conversationId: string): Promise<void> {
    if (conversationId !== this.stored.newId) return;
    this.stored.newId = timeOrderedId();
    await this.store();
  }

  /** Remembered before the run is asked for. */
  async addRun(runId: string): Promise<void> {
    if (this.isOwnRun(runId)) return;
    this.stored.runs = [...this.stored.runs, runId].slice(-MOST_RUNS);
    await this.store();
  }

  isOwnRun(runId: string): boolean {
    return this.stored.runs.includes(runId);
  }

  async addRetry(requestId: string): Promise<void> {
    this.stored.retries = [...this.stored.retries, requestId].slice(-MOST_RUNS);
    await this.store();
  }

  isRetry(requestId: string): boolean {
    return this.stored.retries.includes(requestId);
  }

  /** False, once, when what was open belongs to another account. */
  async belongsTo(accountId: string): Promise<boolean> {
    const before = this.stored.accountId;
    if (before === accountId) return true;
    this.stored.accountId = accountId;
    await this.store();
    return before === undefined;
  }

  private async store(): Promise<void> {
    await this.memory.update(KEY, this.stored);
  }
}

const KEY = 'open';
