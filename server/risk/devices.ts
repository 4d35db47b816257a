import { sql } from 'kysely';
import type { Database } from '../platform/db/database.ts';
import { type HashKey, hashText } from './observe/hashing.ts';

// Signal 13: how many accounts have a device of one id. What is kept for a device is a number of 52 bits, of which each
// account sets one: enough to tell one account from three and from twenty, and not which they are.

const BITS = 52;
/** Popular ids are constants of tools or cloned images, and need no exact number. */
const MANY = 255;
/** A device is counted anew for an account after this time. */
const COUNTED_MS = 6 * 3_600_000;
const MOST_COUNTED = 10_000;
/** Devices of one account that are counted in a period. Some tools send another id each time. */
const MOST_OF_ACCOUNT = 32;
/** Accounts of which a node remembers how many devices were counted. */
const MOST_ACCOUNTS = 20_000;

/** About how many accounts have set these bits: linear counting (Whang and others, 1990). */
export function accountsOf(bits: number): number {
  let set = 0;
  for (let rest = BigInt(bits); rest > 0n; rest >>= 1n) set += Number(rest & 1n);
  return set >= BITS ? MANY : Math.min(MANY, Math.round(BITS * Math.log(BITS / (BITS - set))));
}

/** Counts the accounts of devices, in all nodes together. */
export class DeviceCounts {
  /** The one that was counted longest ago first. */
  readonly #counted = new Map<string, { accounts: number; at: number }>();
  readonly #ofAccount = new Map<string, number>();

  constructor(private readonly db: Database) {}

  /** How many accounts have the device, this one included; 0: it is not counted, because this one has too many. `device` is a hash by the key that all accounts share. */
  async count(device: number, accountId: string, { period, shared }: { period: number; shared: HashKey }, now: number) {
    const bit = hashText(shared, accountId) % BITS;
    const name = `${period}:${device}:${bit}`;
    const known = this.#counted.get(name);
    if (known && Math.abs(now - known.at) < COUNTED_MS) return known.accounts;
    const account = `${period}:${accountId}`;
    const devices = this.#ofAccount.get(account) ?? 0;
    if (!known && devices >= MOST_OF_ACCOUNT) return 0;
    if (!known) this.#ofAccount.set(account, devices + 1);
    if (this.#ofAccount.size > MOST_ACCOUNTS) this.#ofAccount.delete(this.#ofAccount.keys().next().value!);
    const row = await this.db.writeUnsynced((tx) =>
      tx
        .insertInto('risk_device')
        .values({ period, device, accounts: 2 ** bit })
        .onConflict((oc) =>
          oc.columns(['period', 'device']).doUpdateSet({
            accounts: sql<number>`risk_device.accounts | excluded.accounts`,
          }),
        )
        .returning('accounts')
        .executeTakeFirstOrThrow(),
    );
    const accounts = accountsOf(Number(row.accounts));
    this.#counted.delete(name);
    this.#counted.set(name, { accounts, at: now });
    if (this.#counted.size > MOST_COUNTED) this.#counted.delete(this.#counted.keys().next().value!);
    return accounts;
  }
}
