import type { Memento } from 'vscode';
import { timeOrderedId } from '../../../shared/ids.ts';

/** The most remembered runs of this window, to tell them from those of other devices. The same limit for retries. */
const MOST_RUNS = 50;

interface Stored {
  openId: string;
  /** The id of a chat that has not started. It is made before the first message, so that its draft can be stored. */
  newId: string;
  accountId?: string;
  runs: string[];
  /**
   * Requests that were carried out although the server may not know them: their run has an earlier try's id, or they
   * wait for an answer's end.
   */
  retries: string[];
}

/** The conversation that this window shows, and the runs that it started. Kept across reloads and kills. */
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
    // Store it at once: a draft under an id that is lost would be lost too.
    if (!stored) void this.store();
  }

  get openId(): string {
    return this.stored.openId;
  }

  open(id: string): Promise<void> {
    this.stored.openId = id;
    return this.store();
  }

  /** The id of the chat that has not started: the same id (and draft) until it starts, or with `fresh` a new one. */
  newChat(fresh = false): string {
    if (fresh) {
      this.stored.newId = timeOrderedId();
      void this.store();
    }
    return this.stored.newId;
  }

  /** The conversation got its first message, so the next new chat needs another id. */
  async started(conversationId: string): Promise<void> {
    if (conversationId !== this.stored.newId) return;
    this.stored.newId = timeOrderedId();
    await this.store();
  }

  /** Stored before the run is requested. */
  async addRun(runId: string): Promise<void> {
    if (this.isOwnRun(runId)) return;
    this.stored.runs = [...this.stored.runs, runId].slice(-MOST_RUNS);
    await this.store();
  }

  isOwnRun(runId: string): boolean {
    return this.stored.runs.includes(runId);
  }

  async addTaken(requestId: string): Promise<void> {
    this.stored.retries = [...this.stored.retries, requestId].slice(-MOST_RUNS);
    await this.store();
  }

  isTaken(requestId: string): boolean {
    return this.stored.retries.includes(requestId);
  }

  /** Returns false, once, if the open conversation belongs to another account. */
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
