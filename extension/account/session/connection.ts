import type { AccountAnswer } from '../../../shared/account.ts';
import type { Backend } from '../../backend.ts';
import type { BackendError } from '../../platform/server/backendError.ts';
import type { Backoff } from '../../platform/server/backoff.ts';
import type { Credential } from '../../platform/server/wire.ts';

/** What a connection reports to its session. After `close` it reports nothing. */
export interface ConnectionListener {
  /** The current account, or the first failure to read it. */
  account(answer: AccountAnswer): void;
  failed(error: unknown): Promise<void>;
  /** The connection opened, or opened again, and the account was read. */
  connected(): void;
  disconnected(error: BackendError): void;
  conversation(id: string): void;
}

/** The one connection that receives an account's changes. It reads the account again after each change. */
export class Connection {
  private readonly closed = new AbortController();
  private reading: Promise<boolean> | undefined;
  private readAgain = false;

  constructor(
    private readonly backend: Backend,
    readonly who: Credential,
    private readonly backoff: Backoff,
    private readonly tell: ConnectionListener,
  ) {}

  get isClosed(): boolean {
    return this.closed.signal.aborted;
  }

  close(): void {
    this.closed.abort(new Error('closed'));
  }

  /** Listens until it is closed, or the server refuses for good. */
  async run(): Promise<void> {
    const { signal } = this.closed;
    try {
      for await (const heard of this.backend.accountEvents(this.who, signal)) {
        if (this.isClosed) return;
        if (heard.type === 'connected') {
          // Connected, but the account could not be read: a server failure that may pass.
          for (let attempt = 0; !(await this.read()) && !this.isClosed; attempt++)
            await this.backoff.wait(attempt, signal);
          if (!this.isClosed) this.tell.connected();
        } else if (heard.type === 'disconnected') this.tell.disconnected(heard.error);
        else if (heard.change.topic === 'conversation') this.tell.conversation(heard.change.id);
        else if (heard.change.topic !== 'sessions' && heard.change.topic !== 'keys') void this.read();
      }
    } catch (error) {
      if (this.isClosed) return;
      this.close();
      await this.tell.failed(error);
    }
  }

  /** Reads account and balance. Calls during a read share one further read. Resolves to success; never rejects. */
  read(): Promise<boolean> {
    if (this.reading) {
      this.readAgain = true;
      return this.reading;
    }
    this.reading = (async () => {
      try {
        do {
          this.readAgain = false;
          const answer = await this.backend.account(this.who);
          if (this.isClosed) return false;
          this.tell.account(answer);
        } while (this.readAgain);
        return true;
      } catch (error) {
        if (!this.isClosed) await this.tell.failed(error);
        return false;
      } finally {
        this.reading = undefined;
      }
    })();
    return this.reading;
  }
}
