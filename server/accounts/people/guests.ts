import { createHmac } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { grant, openWallet } from '../../credits/holds/store.ts';
import type { Clock, Ids } from '../../platform/clock.ts';
import { iso } from '../../platform/clock.ts';
import type { Policy } from '../../platform/config/config.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import { TABLES } from '../../platform/db/tables.ts';
import { AppError } from '../../platform/errors.ts';
import { startSession } from '../sessions/sessions.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface GuestDeps {
  db: Database;
  clock: Clock;
  ids: Ids;
  policy: Policy;
  /** Keys the hashes of networks. */
  secret: string;
}

/**
 * Admits a guest and grants its allowance as promotional credits. `address` is where the request came from, or null for
 * this machine, which has no quota; `device` is the name that it gives itself. Refuses above the quotas of its network
 * and of the whole server.
 */
export async function admitGuest(
  deps: GuestDeps,
  address: string | null,
  device: string,
): Promise<{ token: string; accountId: string }> {
  const { db, clock, ids } = deps;
  const policy = deps.policy.guests;
  if (!policy.enabled) throw new AppError('guests_disabled', 'This server does not admit guests. Ask its operator.');
  const at = clock.now();
  const token = ids.secret();
  const accountId = ids.next();
  await db.write(async (tx) => {
    if (address !== null) await admit(tx, deps, network(address, deps.secret), at);
    await tx
      .insertInto('account')
      .values({ id: accountId, kind: 'guest', created_at: at, last_active_at: at })
      .execute();
    const session = {
      id: ids.next(),
      account_id: accountId,
      kind: 'guest' as const,
      name: device,
      tool: '',
      jkt: null,
    };
    await startSession(tx, { ...session, token, at, expiresAt: null });
    await openWallet(tx, accountId, ids.next());
    await grant(tx, {
      accountId,
      amountMicro: policy.messages * (policy.runMicro || MICRO_PER_CREDIT),
      requestId: `guest:${accountId}`,
      reason: `${policy.messages} messages to try Perigee`,
      at,
    });
  });
  return { token, accountId };
}

async function admit(
  tx: Tx,
  { policy: { guests: policy }, ids }: GuestDeps,
  network: string,
  at: number,
): Promise<void> {
  // A no-op update, because it locks the row on both engines.
  await tx.updateTable('gate').set({ name: 'guests' }).where('name', '=', 'guests').execute();
  await tx.insertInto('guest_admission').values({ id: ids.next(), network, at }).execute();
  const since = async (ms: number, of?: string) => {
    let query = tx
      .selectFrom('guest_admission')
      .select((eb) => [eb.fn.countAll<number | string>().as('count'), eb.fn.min('at').as('first')]);
    query = query.where('at', '>', at - ms);
    if (of !== undefined) query = query.where('network', '=', of);
    const row = await query.executeTakeFirstOrThrow();
    return { count: Number(row.count), freeAt: Number(row.first ?? at) + ms };
  };
  const quotas = [
    { seen: await since(HOUR, network), limit: policy.perHour, what: 'this network in the last hour' },
    { seen: await since(DAY, network), limit: policy.perDay, what: 'this network today' },
    { seen: await since(DAY), limit: policy.dailyBudget, what: 'this server today' },
  ];
  const over = quotas.filter(({ seen, limit }) => seen.count > limit);
  if (over.length === 0) return;
  const freeAt = Math.max(...over.map(({ seen }) => seen.freeAt));
  throw new AppError(
    'too_many_guests',
    `${over[0]!.limit} new guests have come from ${over[0]!.what}, and that is the limit. Try again later.`,
    { retryAt: iso(freeAt) },
  );
}

/** Deletes admissions that are too old for any quota. */
export async function purgeAdmissions(tx: Tx, now: number): Promise<void> {
  await tx
    .deleteFrom('guest_admission')
    .where('at', '<', now - TABLES.guest_admission.over)
    .execute();
}

/** A keyed hash of the address's /24 or /48: addresses themselves are never stored. */
export function network(address: string, secret: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return createHmac('sha256', secret).update(prefix(plain)).digest('hex');
}

function prefix(address: string): string {
  if (isIPv4(address)) return `4:${address.split('.').slice(0, 3).join('.')}`;
  if (isIPv6(address)) {
    const [head = '', tail = ''] = address.toLowerCase().split('::');
    const front = head.split(':').filter(Boolean);
    const back = tail.split(':').filter(Boolean);
    const full = address.includes('::')
      ? [...front, ...Array(8 - front.length - back.length).fill('0'), ...back]
      : front;
    return `6:${full
      .slice(0, 3)
      .map((group) => group.replace(/^0+(?=.)/, ''))
      .join(':')}`;
  }
  return `?:${address}`;
}
