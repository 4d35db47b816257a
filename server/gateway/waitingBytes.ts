import { AppError } from '../platform/errors.ts';
import { MB } from '../platform/http/bodies.ts';

/** The bodies of all calls, and the pictures of all runs, that no service has answered yet. They take a few times as much memory. */
const MAX_AT_ONCE = 128 * MB;
/** One account's: some hundred calls of agents with a long conversation. */
const MAX_OF_ONE = 48 * MB;

/** How many bytes of requests wait for a service's first byte, for each account and in all. */
export class WaitingBytes {
  #all = 0;
  readonly #ofOne = new Map<string, number>();

  /** Throws `unavailable` if there is no room. Returns a function that gives the room back; twice does no harm. */
  take(accountId: string, bytes: number): () => void {
    this.#add(accountId, bytes);
    let isTaken = true;
    const leave = () => {
      if (isTaken) this.#add(accountId, -bytes);
      isTaken = false;
    };
    if (this.#all <= MAX_AT_ONCE && this.#ofOne.get(accountId)! <= MAX_OF_ONE) return leave;
    leave();
    const message =
      'Too many large requests wait for the model service at once. Nothing was started; try again in a moment.';
    throw new AppError('unavailable', message);
  }

  #add(accountId: string, bytes: number): void {
    this.#all += bytes;
    const own = (this.#ofOne.get(accountId) ?? 0) + bytes;
    if (own === 0) this.#ofOne.delete(accountId);
    else this.#ofOne.set(accountId, own);
  }
}
