import type { Account, Balance, Notice } from './account.ts';

/** A runtime's clock and timers. Instants and durations are in milliseconds. */
export interface Timers {
  now(): number;
  set(act: () => void, ms: number): unknown;
  clear(timer: unknown): void;
  /** 0 to 1. Spreads the requests of many clients that wake at the same instant. */
  random(): number;
}

declare function setTimeout(act: () => void, ms: number): unknown;
declare function clearTimeout(timer: unknown): void;

export const realTimers: Timers = {
  now: () => Date.now(),
  set: (act, ms) => setTimeout(act, ms),
  clear: (timer) => clearTimeout(timer),
  random: () => Math.random(),
};

/** The longest timer, so that sleep and clock changes are noticed, and no instant exceeds a timer's range. */
const LONGEST_MS = 60_000;
/** The delay after the instant, because the server's clock may differ. */
const AFTER_MS = 1000;
const SPREAD_MS = 4000;
/** If the fetched data still contains an instant that has passed, it is fetched again, less and less often. */
const FIRST_RETRY_MS = 30_000;
const LAST_RETRY_MS = 600_000;

/** Wakes a view when its data changes by time alone, so that it fetches again. */
export class Waking {
  private timer: unknown;
  private dueAt = Number.POSITIVE_INFINITY;
  private retryMs = FIRST_RETRY_MS;

  constructor(
    private readonly wake: () => void,
    private readonly timers: Timers = realTimers,
  ) {}

  /** The shown data changes at these instants. Replaces earlier ones. */
  watch(instants: readonly number[]): void {
    const now = this.timers.now();
    const coming = instants.filter((at) => at > now);
    const isLate = instants.some((at) => at <= now);
    if (!isLate) this.retryMs = FIRST_RETRY_MS;
    const next = Math.min(...coming) + AFTER_MS + this.timers.random() * SPREAD_MS;
    this.dueAt = isLate ? Math.min(next, now + this.retryMs) : next;
    this.arm();
  }

  stop(): void {
    this.timers.clear(this.timer);
    this.dueAt = Number.POSITIVE_INFINITY;
  }

  private arm(): void {
    this.timers.clear(this.timer);
    if (this.dueAt === Number.POSITIVE_INFINITY) return;
    const ms = Math.max(0, Math.min(LONGEST_MS, this.dueAt - this.timers.now()));
    this.timer = this.timers.set(() => this.look(), ms);
  }

  private look(): void {
    const now = this.timers.now();
    if (now >= this.dueAt) {
      // Wake once more later, unless new data arrives: the server may be unreachable, or its clock behind.
      this.dueAt = now + this.retryMs;
      this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2);
      this.wake();
    }
    this.arm();
  }
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** When a text such as "3 minutes ago" or "2 hours ago" changes. Never, once a day has passed. */
export function wordsChangeAt(at: number, now: number): number {
  const ms = now - at;
  if (ms < MINUTE_MS) return at + MINUTE_MS;
  if (ms > 24 * HOUR_MS) return Number.POSITIVE_INFINITY;
  const unit = ms < HOUR_MS ? MINUTE_MS : HOUR_MS;
  return at + (Math.floor(ms / unit) + 1) * unit;
}

/**
 * When an account's data changes by time alone: windows, the end of a suspension, of the account, of a notice, or of
 * the local day.
 */
export function changesAt(
  account: Account | null,
  balance: Balance | null,
  now: number,
  notices: readonly Notice[] = [],
): number[] {
  const today = new Date(now);
  const told = [
    ...(balance?.windows ?? []).flatMap(({ nextFreeAt, allFreeAt }) => [nextFreeAt, allFreeAt]),
    account?.suspended?.until,
    account?.closing?.goneAt,
    ...notices.map(({ until }) => until),
  ];
  const instants = told.flatMap((at) => (at ? [Date.parse(at)] : [])).filter((at) => !Number.isNaN(at));
  return [...instants, new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1).getTime()];
}
