import { createHmac, randomBytes } from 'node:crypto';
import type { Database, Reader } from '../platform/db/database.ts';
import { hashKeyed } from '../platform/secrets.ts';
import { accountKey, type HashKey } from './observe/hashing.ts';

const DAY_MS = 24 * 3_600_000;
/** How long a key is used. Then it is deleted, and nobody can say any more what was hashed with it. */
export const PERIOD_MS = 30 * DAY_MS;
/** The next period begins so long before the end, so that there are always some days to judge by. */
export const OVERLAP_MS = 7 * DAY_MS;
/** How often a node looks for the keys of others. */
const LOOK_EVERY_MS = 60_000;
/** Accounts whose keys a node remembers. */
const MOST_ACCOUNTS = 20_000;

interface Period {
  period: number;
  key: Buffer;
  endsAt: number;
}

export interface PeriodKey {
  period: number;
  key: HashKey;
  /** The same for all accounts, for what is counted across them. */
  shared: HashKey;
}

/** The keys in use: of one period, or of two while they overlap. */
export class RiskKeys {
  #periods: Period[] = [];
  #lookAt = 0;
  /** The least recently used account first. */
  readonly #accounts = new Map<string, PeriodKey[]>();

  /** Says by which secret a key counts, and nothing of the secret. */
  readonly #mark: string;

  /** `secret`: without it, a copy of the database alone would do to try out names of files. */
  constructor(
    private readonly db: Database,
    private readonly secret: string,
  ) {
    this.#mark = hashKeyed(secret, 'risk', 'mark').slice(0, 16);
  }

  /**
   * Reads the keys, and begins the next period when it is time. Call it before `of`, and every few seconds. Where the
   * secret was changed, the periods before end: their hashes would make another project of each project.
   */
  async refresh(now: number): Promise<void> {
    if (now < this.#lookAt && this.#lookAt - now <= LOOK_EVERY_MS) return;
    let rows = await readPeriods(this.db.read);
    if (!rows.some((row) => this.#isOwn(row) && row.ends_at - now > OVERLAP_MS)) {
      await this.#begin(rows, now);
      rows = await readPeriods(this.db.read);
    }
    const before = this.#periods.map(({ period }) => period).join();
    this.#periods = rows
      .filter((row) => this.#isOwn(row) && row.ends_at > now)
      .map(({ period, key, ends_at }) => ({
        period,
        key: createHmac('sha256', this.secret).update(`risk\0${key}`).digest(),
        endsAt: ends_at,
      }));
    if (this.#periods.map(({ period }) => period).join() !== before) this.#accounts.clear();
    this.#lookAt = now + LOOK_EVERY_MS;
  }

  #isOwn({ key }: PeriodRow): boolean {
    return key.endsWith(this.#mark);
  }

  /** Nodes that saw the same periods begin the same one, and the first of them makes its key. */
  async #begin(rows: readonly PeriodRow[], now: number): Promise<void> {
    const period = periodAfter(rows, now);
    const key = `${randomBytes(32).toString('hex')} ${this.#mark}`;
    const others = rows.filter((row) => !this.#isOwn(row)).map((row) => row.period);
    await this.db.write(async (tx) => {
      await tx
        .insertInto('risk_key')
        .values({ period, key, starts_at: now, ends_at: now + PERIOD_MS })
        .onConflict((oc) => oc.column('period').doNothing())
        .execute();
      if (others.length > 0) await tx.deleteFrom('risk_key').where('period', 'in', others).execute();
    });
  }

  /** The account's key in each period, the oldest first; empty before the first `refresh`. */
  of(accountId: string, now: number): readonly PeriodKey[] {
    if (this.#periods.some(({ endsAt }) => endsAt <= now)) {
      this.#periods = this.#periods.filter(({ endsAt }) => endsAt > now);
      this.#accounts.clear();
    }
    let keys = this.#accounts.get(accountId);
    if (keys) this.#accounts.delete(accountId);
    else
      keys = this.#periods.map(({ period, key }) => ({
        period,
        key: accountKey(key, accountId),
        shared: accountKey(key, ''),
      }));
    this.#accounts.set(accountId, keys);
    if (this.#accounts.size > MOST_ACCOUNTS) this.#accounts.delete(this.#accounts.keys().next().value!);
    return keys;
  }
}

type PeriodRow = Awaited<ReturnType<typeof readPeriods>>[number];

/** All of them are few, because those that have ended are deleted. */
async function readPeriods(db: Reader) {
  const rows = await db.selectFrom('risk_key').selectAll().orderBy('period').execute();
  return rows.map((row) => ({ ...row, period: Number(row.period), ends_at: Number(row.ends_at) }));
}

/** The first is the day, in days since 1970: no number is used again, although all keys may have been deleted. */
const periodAfter = (rows: readonly { period: number }[], now: number) =>
  rows.length > 0 ? rows.at(-1)!.period + 1 : Math.floor(now / DAY_MS);
