import { randomInt } from 'node:crypto';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { DeviceGrantRow } from '../../platform/db/schema.ts';
import { TABLES } from '../../platform/db/tables.ts';
import { hashKeyed, hashSecret } from '../../platform/secrets.ts';

/** How long a device waits. */
export const DEVICE_MS = 15 * 60_000;
const INTERVAL_MS = 5_000;
/** Tolerance for inexact timers and networks. */
const SLACK_MS = 500;
/** Letters that are hard to confuse and form no words (RFC 8628, 6.1). */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ';

/** A user code, such as WDJB-MJHT. */
export function makeUserCode(): string {
  const letters = Array.from({ length: 8 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** Normalises a typed user code; null if it can't be one. */
export function readUserCode(typed: string): string | null {
  const letters = typed.toUpperCase().replace(/[^A-Z]/g, '');
  return new RegExp(`^[${ALPHABET}]{8}$`).test(letters) ? `${letters.slice(0, 4)}-${letters.slice(4)}` : null;
}

const hashUserCode = (secret: string, userCode: string) => hashKeyed(secret, 'user-code', userCode);

/** Starts the wait of a device for approval. Only proofs of `jkt` can redeem it. False if the user code is taken. */
export async function insertDeviceGrant(
  tx: Tx,
  secret: string,
  made: { id: string; deviceCode: string; userCode: string; name: string; tool: string; jkt: string; at: number },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('device_grant')
    .values({
      id: made.id,
      device_hash: hashSecret(made.deviceCode),
      user_hash: hashUserCode(secret, made.userCode),
      name: made.name,
      tool: made.tool,
      jkt: made.jkt,
      state: 'pending',
      account_id: null,
      interval_ms: INTERVAL_MS,
      polled_at: null,
      expires_at: made.at + DEVICE_MS,
    })
    .onConflict((conflict) => conflict.column('user_hash').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** The device that waits under a user code. */
export function findWaiting(
  db: Reader,
  secret: string,
  userCode: string,
  now: number,
): Promise<DeviceGrantRow | undefined> {
  return db
    .selectFrom('device_grant')
    .selectAll()
    .where('user_hash', '=', hashUserCode(secret, userCode))
    .where('state', '=', 'pending')
    .where('expires_at', '>', now)
    .executeTakeFirst();
}

/** Stores the user's decision. False if the device no longer waits or was decided about before. */
export async function decideDevice(
  tx: Tx,
  id: string,
  decision: { state: 'approved'; accountId: string } | { state: 'denied' },
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('device_grant')
    .set({ state: decision.state, account_id: decision.state === 'approved' ? decision.accountId : null })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export type Polled =
  | { kind: 'approved'; accountId: string; name: string; tool: string }
  | { kind: 'unknown' | 'pending' | 'slow_down' | 'expired' | 'denied' };

/**
 * A poll of a waiting device. Approval is returned once, to the call that deletes the row. A proof of another key finds
 * no device.
 */
export async function pollDevice(tx: Tx, deviceCode: string, jkt: string, now: number): Promise<Polled> {
  const row = await tx
    .updateTable('device_grant')
    .set((eb) => ({ id: eb.ref('id') }))
    .where('device_hash', '=', hashSecret(deviceCode))
    .where('jkt', '=', jkt)
    .returningAll()
    .executeTakeFirst();
  if (!row) return { kind: 'unknown' };
  const forget = () => tx.deleteFrom('device_grant').where('id', '=', row.id).execute();
  if (row.expires_at <= now) {
    await forget();
    return { kind: 'expired' };
  }
  if (row.state === 'denied') {
    await forget();
    return { kind: 'denied' };
  }
  const isTooSoon = row.polled_at !== null && now >= row.polled_at && now - row.polled_at < row.interval_ms - SLACK_MS;
  if (isTooSoon || row.state === 'pending') {
    const interval = row.interval_ms + (isTooSoon ? INTERVAL_MS : 0);
    const polled = { polled_at: now, interval_ms: interval };
    await tx.updateTable('device_grant').set(polled).where('id', '=', row.id).execute();
    return { kind: isTooSoon ? 'slow_down' : 'pending' };
  }
  await forget();
  return { kind: 'approved', accountId: row.account_id!, name: row.name, tool: row.tool };
}

/** Expired grants are kept for a while, so that a device that polls late learns why. */
export async function purgeDeviceGrants(tx: Tx, now: number): Promise<void> {
  await tx
    .deleteFrom('device_grant')
    .where('expires_at', '<', now - TABLES.device_grant.over)
    .execute();
}
