import { AppError } from '../platform/errors.ts';

/** How many pages this process reads at once, and for one account: they share a thread and a line with all answers. */
const MOST = 4;
const MOST_OF_ONE = 2;

interface Waiting {
  accountId: string;
  begin: () => void;
}

/** Whose page is read next: first come, first served, and no account takes all turns. */
export class Turns {
  #all = 0;
  readonly #ofOne = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();

  /** Does the work once it is the account's turn. Throws `rate_limited` if the signal aborts before. */
  async take<T>(accountId: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#isFree(accountId)) this.#add(accountId, 1);
    else await this.#wait(accountId, signal);
    try {
      return await work();
    } finally {
      this.#add(accountId, -1);
      this.#callNext();
    }
  }

  #wait(accountId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const one = {
        accountId,
        begin: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = () => {
        this.#waiting.delete(one);
        reject(busy());
      };
      this.#waiting.add(one);
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
    });
  }

  #callNext(): void {
    for (const one of this.#waiting) {
      if (!this.#isFree(one.accountId)) continue;
      this.#waiting.delete(one);
      this.#add(one.accountId, 1);
      one.begin();
      return;
    }
  }

  #isFree(accountId: string): boolean {
    return this.#all < MOST && (this.#ofOne.get(accountId) ?? 0) < MOST_OF_ONE;
  }

  #add(accountId: string, pages: number): void {
    this.#all += pages;
    const own = (this.#ofOne.get(accountId) ?? 0) + pages;
    if (own === 0) this.#ofOne.delete(accountId);
    else this.#ofOne.set(accountId, own);
  }
}

const busy = () =>
  new AppError(
    'rate_limited',
    'This server was busy with other pages, and did not read this one. Try again in a moment.',
  );
