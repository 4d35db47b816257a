import type { Memento } from 'vscode';

/** Why no account is signed in: `new` never had one here, `left` signed out, `expired` was refused by the server. */
export type SignedOutWhy = 'new' | 'left' | 'expired';

/** Only `new` may become a guest without asking. `was` is the kind of the account that is gone. */
export interface SignedOut {
  kind: 'signedOut';
  why: SignedOutWhy;
  was?: 'guest' | 'member';
  detail: string;
}

export type SessionState =
  | SignedOut
  | { kind: 'connecting' }
  | { kind: 'ok' }
  | { kind: 'offline' | 'wrongServer'; detail: string };

/** How an account left this machine. Stored for each server, for all windows, and kept across restarts. */
export class Gone {
  constructor(
    private readonly memory: Memento,
    private readonly server: () => string,
  ) {}

  get(): { why: 'left' | 'expired'; was: 'guest' | 'member' } | undefined {
    const stored = this.memory.get<string>(this.key());
    // Before there were members, the stored value was only 'left' or 'expired'.
    const [why, was = 'guest'] = stored?.split(' ') ?? [];
    return why === 'left' || why === 'expired' ? { why, was: was === 'member' ? 'member' : 'guest' } : undefined;
  }

  async remember(why: 'left' | 'expired', was: 'guest' | 'member'): Promise<void> {
    await this.memory.update(this.key(), `${why} ${was}`);
  }

  async forget(): Promise<void> {
    if (this.memory.get(this.key()) !== undefined) await this.memory.update(this.key(), undefined);
  }

  /** The signed-out state. */
  state(): SignedOut {
    const gone = this.get();
    if (!gone) return { kind: 'signedOut', why: 'new', detail: 'Open the chat to begin.' };
    return { kind: 'signedOut', ...gone, detail: DETAILS[gone.was][gone.why] };
  }

  private key(): string {
    return `gone ${this.server()}`;
  }
}

const DETAILS = {
  guest: {
    left: 'You can sign in, or start again as a new guest.',
    expired:
      'This server no longer knows this account. You can go on as a new guest, or sign in; what you typed is kept.',
  },
  member: {
    left: 'Your conversations are on the server, and are here again when you sign in.',
    expired: 'Your sign-in has ended. Sign in again: your conversations are on the server, and what you typed is kept.',
  },
} as const;
