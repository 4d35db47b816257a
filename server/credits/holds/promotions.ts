import { createHash } from 'node:crypto';
import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Database, Reader, Tx } from '../../platform/db/database.ts';
import { addPosted, post, postedOf, readFunds, tryLockWallet, writeLog } from '../journal/journal.ts';
import { assertAmount, available, fundAccount, HOUSE } from '../rules/ledger.ts';
import { grant } from './store.ts';

// Promotional credits that the operator gives and takes back.

/**
 * The limit of one gift, and of an account's promotional credits in all. It is far below the largest safe integer, so
 * that there is always room for purchases.
 */
export const MOST_PROMOTIONAL_MICRO = 1e9 * MICRO_PER_CREDIT;

/** `at` is epoch ms. */
export type Given =
  | { kind: 'given' }
  | { kind: 'given_before'; at: number }
  | IdTaken
  | { kind: 'too_much'; promotionalMicro: number }
  | { kind: 'closed' };

/** The key was used before: what it gave, and how that differs from this request. */
interface IdTaken {
  kind: 'id_taken';
  by: 'another_amount' | 'another_account' | 'another_reason';
  amountMicro: number;
  at: number;
}

interface Gift {
  accountId: string;
  amountMicro: number;
  /** Chosen by the operator, who repeats it to retry. */
  key: string;
  /** Shown to the account owner in the token log. */
  reason: string;
}

/**
 * Gives credits once for each key, also under retries and concurrent requests. A retry is compared as a whole: the same
 * key with another amount, account or reason is refused. `closed`: the account was merged or deleted meanwhile.
 */
export async function giveOnce(db: Database, gift: Gift, at: number): Promise<Given> {
  try {
    return await db.write((tx) => giveWithin(tx, gift, at));
  } catch (error) {
    // A concurrent request used the key for another account: the key is unique in the journal.
    const before = await findGiven(db.read, gift);
    if (before) return before;
    throw error;
  }
}

/** `giveOnce` as part of a transaction, for a key that no other account can have. */
export async function giveWithin(tx: Tx, gift: Gift, at: number): Promise<Given> {
  const { accountId, amountMicro, key, reason } = gift;
  const ledgerId = await tryLockWallet(tx, accountId);
  if (ledgerId === null) return { kind: 'closed' };
  const before = await findGiven(tx, gift);
  if (before) return before;
  const { promotional } = await readFunds(tx, ledgerId);
  if (promotional.posted + amountMicro > MOST_PROMOTIONAL_MICRO)
    return { kind: 'too_much', promotionalMicro: promotional.posted };
  await grant(tx, { accountId, amountMicro, requestId: requestOf(key), reason, at });
  changed(tx, accountId, 'balance', accountId);
  return { kind: 'given' };
}

/** Finds what this key gave before and compares it with this request. Null: the key is new. */
async function findGiven(db: Reader, { accountId, amountMicro, key, reason }: Gift): Promise<Given | null> {
  const before = await db
    .selectFrom('log_entry')
    // What a guest got belongs to the account that took the guest over.
    .leftJoin('wallet', 'wallet.ledger_id', 'log_entry.ledger_id')
    .select(['log_entry.amount', 'log_entry.reason', 'log_entry.at', 'wallet.account_id'])
    .where('log_entry.id', '=', `grant:${requestOf(key)}`)
    .executeTakeFirst();
  if (!before) return null;
  const { amount, at } = before;
  const taken = (by: IdTaken['by']) => ({ kind: 'id_taken', by, amountMicro: amount, at }) as const;
  if (amount !== amountMicro) return taken('another_amount');
  if (before.account_id !== accountId) return taken('another_account');
  return before.reason === reason ? { kind: 'given_before', at } : taken('another_reason');
}

/** Hashed, because an operator's words may contain a name, and the journal outlives deleted accounts. */
const requestOf = (key: string) => `operator:${createHash('sha256').update(key).digest('base64url')}`;

export type TakenBack =
  | { kind: 'taken'; takenMicro: number; heldMicro: number }
  | { kind: 'nothing_free'; heldMicro: number }
  | { kind: 'closed' };

/**
 * Takes promotional credits back to the house: all free ones, or at most `mostMicro`. Credits in open holds stay, also
 * those of guests that the account took over, and the result reports them. The owner reads `reason` in the token log.
 */
export async function takeBack(
  tx: Tx,
  back: { accountId: string; mostMicro: number | null; id: string; reason: string; at: number },
): Promise<TakenBack> {
  const { accountId, mostMicro, id, reason, at } = back;
  if (mostMicro !== null) assertAmount(mostMicro);
  const ledgerId = await tryLockWallet(tx, accountId);
  if (ledgerId === null) return { kind: 'closed' };
  const { promotional } = await readFunds(tx, ledgerId);
  const freeMicro = promotional.posted - promotional.pending;
  const takenMicro = Math.min(mostMicro ?? freeMicro, freeMicro);
  const heldMicro = promotional.pending + (await heldByGuests(tx, ledgerId));
  if (takenMicro === 0) return { kind: 'nothing_free', heldMicro };
  // From here the reset must succeed.
  await post(tx, {
    id: `reset:${id}`,
    debit: fundAccount('promotional', ledgerId),
    credit: HOUSE.grants,
    amount: takenMicro,
    kind: 'reset',
    request_id: id,
    hold_id: null,
    at,
  });
  await addPromotional(tx, ledgerId, -takenMicro);
  const after = await readFunds(tx, ledgerId);
  await shrinkOf(tx, ledgerId, takenMicro, available(after));
  await writeLog(tx, ledgerId, {
    id: `reset:${id}`,
    kind: 'reset',
    amount: -takenMicro,
    balance: postedOf(after),
    reason,
    at,
  });
  changed(tx, accountId, 'balance', accountId);
  return { kind: 'taken', takenMicro, heldMicro };
}

const addPromotional = (tx: Tx, ledgerId: string, amountMicro: number) =>
  addPosted(tx, { ledgerId, fund: 'promotional', amountMicro, under: 'a reset' });

/** What open holds of taken-over guests would return to this ledger if they end unused. */
async function heldByGuests(tx: Tx, ledgerId: string): Promise<number> {
  const { held } = await tx
    .selectFrom('balance')
    .select((eb) => eb.fn.sum<number | string | null>('pending').as('held'))
    .where('heir', '=', ledgerId)
    .where('kind', '=', 'promotional')
    .executeTakeFirstOrThrow();
  return Number(held ?? 0);
}

/** Lowers the "of 100" by the amount taken back, so that it does not look spent: 87 of 100 less 40 becomes 47 of 60. */
async function shrinkOf(tx: Tx, ledgerId: string, takenMicro: number, availableMicro: number): Promise<void> {
  const { of_micro } = await tx
    .selectFrom('wallet')
    .select('of_micro')
    .where('ledger_id', '=', ledgerId)
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('wallet')
    .set({ of_micro: Math.max(availableMicro, of_micro - takenMicro) })
    .where('ledger_id', '=', ledgerId)
    .execute();
}
