import { type FreeReason, REASONS } from '../../../shared/constants.ts';
import type { Usage } from '../../../shared/runs.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { fixed, prepared } from '../../platform/db/prepared.ts';
import type { HoldRow } from '../../platform/db/schema.ts';
import {
  assertOne,
  lockWallet,
  post,
  postedOf,
  readFunds,
  toFunds,
  tryLockWallet,
  writeLog,
} from '../journal/journal.ts';
import { passOn } from '../journal/moves.ts';
import { repayFreed } from '../journal/purchases.ts';
import { beginPlanUse, usePlan, windowsOf } from '../plans/plans.ts';
import {
  assertAmount,
  available,
  CREDITS,
  type Credit,
  FUNDS,
  type Fund,
  fundAccount,
  HOUSE,
  NOTHING,
  type Split,
  settle,
  splitHold,
} from '../rules/ledger.ts';
import { tightestOf } from '../rules/planWindows.ts';
import { planOf } from './balance.ts';
import { addToMonth, type EditorUse, type HoldKey, keyOf, readRoom, settleMonth, spenderOf } from './keyMonths.ts';
import { dropNames } from './names.ts';

/** A run's model and usage, for its line in the token log. */
export interface RunUse {
  runId: string;
  /** Null for a tool's call. */
  conversationId: string | null;
  model: string;
  /** The device or tool that asked, by the name it sent. */
  tool: string;
  usage: Usage;
}

/** Opens an account's wallet with a random ledger id. The balance's `of` is 0 until the first grant. */
export async function openWallet(tx: Tx, accountId: string, ledgerId: string): Promise<void> {
  await tx.insertInto('wallet').values({ account_id: accountId, ledger_id: ledgerId, of_micro: 0 }).execute();
  await tx
    .insertInto('balance')
    .values(CREDITS.map((kind) => ({ ledger_id: ledgerId, kind, posted: 0, pending: 0 })))
    .execute();
}

/** Whether the payment service would charge the account's own plan again, because it was not told to end it. */
export async function willRenew(db: Reader, accountId: string): Promise<boolean> {
  const query = db.selectFrom('subscription').innerJoin('wallet', 'wallet.ledger_id', 'subscription.ledger_id');
  const row = await query
    .select('subscription.id')
    .where('wallet.account_id', '=', accountId)
    .where('wallet.is_own', '=', 1)
    .where('subscription.state', '=', 'active')
    .where('subscription.payment_ref', 'is not', null)
    .where('subscription.is_cancelled', '=', 0)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Deletes the link between a deleted person's account and its ledgers. The journal and the balances stay, under ids
 * that name no one.
 */
export async function forgetWallet(tx: Tx, accountId: string): Promise<void> {
  await tx
    .updateTable('subscription')
    .set({ state: 'ended' })
    .where('ledger_id', 'in', (eb) => eb.selectFrom('wallet').select('ledger_id').where('account_id', '=', accountId))
    .execute();
  const ofLedgers = tx.selectFrom('wallet').select('ledger_id').where('account_id', '=', accountId);
  await tx.deleteFrom('key_month').where('ledger_id', 'in', ofLedgers).execute();
  await dropNames(tx, accountId);
  await tx.deleteFrom('wallet').where('account_id', '=', accountId).execute();
}

/** Gives promotional credits. `requestId` is unique, so that a repeated grant fails instead of giving twice. */
export async function grant(
  tx: Tx,
  given: { accountId: string; amountMicro: number; requestId: string; reason: string; at: number },
): Promise<void> {
  assertAmount(given.amountMicro);
  const ledgerId = await lockWallet(tx, given.accountId);
  await post(tx, {
    id: `grant:${given.requestId}`,
    debit: HOUSE.grants,
    credit: fundAccount('promotional', ledgerId),
    amount: given.amountMicro,
    kind: 'grant',
    request_id: given.requestId,
    hold_id: null,
    at: given.at,
  });
  await tx
    .updateTable('balance')
    .set((eb) => ({ posted: eb('posted', '+', given.amountMicro) }))
    .where('ledger_id', '=', ledgerId)
    .where('kind', '=', 'promotional')
    .execute();
  const funds = await readFunds(tx, ledgerId);
  await tx
    .updateTable('wallet')
    .set({ of_micro: available(funds) })
    .where('ledger_id', '=', ledgerId)
    .execute();
  await writeLog(tx, ledgerId, {
    id: `grant:${given.requestId}`,
    kind: 'grant',
    amount: given.amountMicro,
    balance: postedOf(funds),
    reason: given.reason,
    at: given.at,
  });
}

/**
 * `closed`: the guest was merged into another account meanwhile. `held_before`: the run already has its one hold.
 * `key_spent`: the API key, or all other extensions of the editor, may not spend that much more before `resetsAt`, in ms.
 */
export type HoldAnswer =
  | { kind: 'held' }
  | { kind: 'held_before' }
  | { kind: 'insufficient'; availableMicro: number; amountMicro: number }
  | { kind: 'key_spent'; limitMicro: number; usedMicro: number; resetsAt: number }
  | { kind: 'closed' };

/**
 * Reserves `amountMicro` for a run, or returns what is left. The amount is a number, or a function of the available
 * amount, which the lock keeps from changing; a cap of the caller's own counts as available as well. Nothing changes unless the
 * result is `held`.
 */
export async function placeHold(
  tx: Tx,
  hold: {
    id: string;
    accountId: string;
    runId: string;
    amountMicro: number | ((availableMicro: number) => number);
    at: number;
    /** The API key that the call is made by. */
    key?: HoldKey | null;
    /** Set for another extension of the editor, which calls by the session. */
    editor?: EditorUse | null;
  },
): Promise<HoldAnswer> {
  const ledgerId = await tryLockWallet(tx, hold.accountId);
  if (ledgerId === null) return { kind: 'closed' };
  const rows = await selectLeft.all(tx, { ledgerId });
  const windows = rows[0] ? await windowsOf(tx, ledgerId, planOf(rows[0]), hold.at) : [];
  const funds = toFunds(rows);
  const planMicro = tightestOf(windows)?.leftMicro ?? 0;
  const spender = spenderOf(ledgerId, hold);
  const { leftMicro, usedMicro, limitMicro, period } = await readRoom(tx, spender, hold.at);
  const availableMicro = Math.min(planMicro + available(funds), leftMicro);
  const amountMicro = typeof hold.amountMicro === 'number' ? hold.amountMicro : hold.amountMicro(availableMicro);
  const decision = splitHold(funds, planMicro, amountMicro);
  if (decision.kind === 'insufficient') return { ...decision, amountMicro };
  if (amountMicro > leftMicro) return { kind: 'key_spent', limitMicro, usedMicro, resetsAt: period.to };
  const { split } = decision;
  const { id, runId, at } = hold;
  const keyColumns = { keyId: spender?.id ?? null, keyName: spender?.name ?? null };
  if ((await insertHold.run(tx, { id, ledgerId, runId, amountMicro, ...split, at, ...keyColumns })) === 0n)
    return { kind: 'held_before' };
  // From here the hold must succeed: these guards fail only if the lock on the wallet did not work.
  for (const fund of CREDITS) {
    if (split[fund] === 0) continue;
    const rows = await addPending.run(tx, { ledgerId, fund, amount: split[fund] });
    assertOne(rows, 'a balance moved under a hold');
  }
  if (spender) await addToMonth(tx, { keyId: spender.id, ledgerId, period, amountMicro });
  if (split.plan > 0) await beginPlanUse(tx, { holdId: id, ledgerId, amountMicro: split.plan, at });
  return { kind: 'held' };
}

/** A ledger's balances and plan. Lock the wallet first: a statement sees what was committed before it began. */
const selectLeft = prepared((db, p: { ledgerId: string }) =>
  db
    .selectFrom('balance')
    .leftJoin('subscription', (join) =>
      join.onRef('subscription.ledger_id', '=', 'balance.ledger_id').on('subscription.state', '=', fixed('active')),
    )
    .select(['balance.kind', 'balance.posted', 'balance.pending'])
    .select([
      'subscription.windows',
      'subscription.period_start',
      'subscription.period_end',
      'subscription.is_cancelled',
    ])
    .where('balance.ledger_id', '=', p.ledgerId),
);

const addPending = prepared((db, p: { ledgerId: string; fund: Credit; amount: number }) =>
  db
    .updateTable('balance')
    .set((eb) => ({ pending: eb('pending', '+', p.amount) }))
    .where('ledger_id', '=', p.ledgerId)
    .where('kind', '=', p.fund)
    .where((eb) => eb(eb('posted', '-', eb.ref('pending')), '>=', p.amount)),
);

interface NewHold extends Split {
  id: string;
  ledgerId: string;
  runId: string;
  amountMicro: number;
  at: number;
  keyId: string | null;
  keyName: string | null;
}

const insertHold = prepared((db, p: NewHold) =>
  db
    .insertInto('hold')
    .values({
      id: p.id,
      ledger_id: p.ledgerId,
      run_id: p.runId,
      state: 'pending',
      amount: p.amountMicro,
      plan: p.plan,
      promotional: p.promotional,
      purchased: p.purchased,
      posted_amount: 0,
      created_at: p.at,
      resolved_at: null,
      key_id: p.keyId,
      key_name: p.keyName,
    })
    .onConflict((conflict) => conflict.column('run_id').doNothing()),
);

export type Resolution =
  | { kind: 'posted'; chargedMicro: number; absorbedMicro: number }
  | { kind: 'voided' }
  | { kind: 'resolved_before'; state: HoldRow['state']; chargedMicro: number };

/**
 * Charges a run's hold with its cost. If the cost exceeds the hold, the rest is charged too if the account has it; else
 * the house pays it. The house always pays `onHouseMicro`, which the user could not use. A hold that was resolved
 * before is reported and stays as it is.
 */
export async function settleHold(
  tx: Tx,
  run: RunUse,
  costMicro: number,
  at: number,
  onHouseMicro = 0,
): Promise<Resolution> {
  assertAmount(costMicro);
  assertAmount(onHouseMicro);
  const hold = await resolveHold(tx, { runId: run.runId, state: 'posted', costMicro, at });
  if ('kind' in hold) return hold;
  const { charged, chargedMicro, beyondMicro } = settle(hold, costMicro);
  if (hold.posted_amount !== chargedMicro) throw new Error('credits: a hold charged otherwise than it says');
  const { heir, postedMicro, owedMicro } = await moveBalance(tx, hold, charged);
  for (const fund of FUNDS) await chargeFund(tx, hold, fund, charged[fund], `${hold.id}:${fund}`, at);
  const extraMicro = beyondMicro > 0 ? await chargeBeyond(tx, hold, beyondMicro, at) : 0;
  const absorbedMicro = beyondMicro - extraMicro + onHouseMicro;
  if (absorbedMicro > 0) await absorb(tx, hold, absorbedMicro, at);
  const total = chargedMicro + extraMicro;
  await settleMonth(tx, hold, total);
  await writeLog(tx, hold.ledger_id, {
    ...useColumns(run, hold),
    id: `run:${run.runId}`,
    kind: 'charge',
    amount: -total,
    balance: postedMicro - extraMicro,
    absorbed: absorbedMicro,
    reason: absorbedMicro > 0 ? REASONS.beyond_hold : `Answer by ${run.model}`,
    reason_code: absorbedMicro > 0 ? 'beyond_hold' : null,
    at,
  });
  if (heir) await passOn(tx, hold.ledger_id, heir, hold.id, at);
  if (owedMicro > 0) await repayFreed(tx, hold.ledger_id, hold.id, at);
  return { kind: 'posted', chargedMicro: total, absorbedMicro };
}

/** Returns a run's hold in full. The user sees `reason`; the house pays `costMicro`. */
export async function voidHold(
  tx: Tx,
  run: RunUse,
  reason: FreeReason,
  costMicro: number,
  at: number,
): Promise<Resolution> {
  assertAmount(costMicro);
  const hold = await resolveHold(tx, { runId: run.runId, state: 'voided', costMicro: 0, at });
  if ('kind' in hold) return hold;
  const { heir, owedMicro } = await moveBalance(tx, hold, NOTHING);
  if (costMicro > 0) await absorb(tx, hold, costMicro, at);
  await settleMonth(tx, hold, 0);
  await writeLog(tx, hold.ledger_id, {
    ...useColumns(run, hold),
    id: `run:${run.runId}`,
    kind: 'not_charged',
    amount: 0,
    balance: null,
    absorbed: costMicro,
    reason: REASONS[reason],
    reason_code: reason,
    at,
  });
  if (heir) await passOn(tx, hold.ledger_id, heir, hold.id, at);
  if (owedMicro > 0) await repayFreed(tx, hold.ledger_id, hold.id, at);
  return { kind: 'voided' };
}

/** How a hold ends; `costMicro` is 0 for a voided one. */
interface Ending {
  runId: string;
  state: 'posted' | 'voided';
  costMicro: number;
  at: number;
}

/**
 * Ends a pending hold and charges its cost, at most the hold; or reports how it ended before. Lock the wallet first, as
 * everywhere: then no balance moves, and transactions that lock several balances of a ledger can't deadlock.
 */
async function resolveHold(tx: Tx, ending: Ending) {
  await lockWalletOfRun.run(tx, ending);
  const hold = await endPendingHold.first(tx, ending);
  if (hold) return hold;
  const before = await tx.selectFrom('hold').selectAll().where('run_id', '=', ending.runId).executeTakeFirst();
  if (!before) throw new Error('credits: a run without a hold');
  return { kind: 'resolved_before', state: before.state, chargedMicro: before.posted_amount } as const;
}

const lockWalletOfRun = prepared((db, p: { runId: string }) =>
  db
    .updateTable('wallet')
    .set((eb) => ({ of_micro: eb.ref('of_micro') }))
    .where('ledger_id', '=', (eb) => eb.selectFrom('hold').select('hold.ledger_id').where('hold.run_id', '=', p.runId)),
);

const endPendingHold = prepared((db, p: Ending) =>
  db
    .updateTable('hold')
    .set((eb) => ({
      state: p.state,
      resolved_at: p.at,
      posted_amount: eb.case().when('amount', '<', p.costMicro).then(eb.ref('amount')).else(p.costMicro).end(),
    }))
    .where('run_id', '=', p.runId)
    .where('state', '=', fixed('pending'))
    .returningAll(),
);

/**
 * Removes a hold from `pending`, and its charge from `posted`. Returns the posted credits in all, the ledger's heir
 * (who gets freed credits) if any, and the debt.
 */
async function moveBalance(
  tx: Tx,
  hold: HoldRow,
  charged: Readonly<Split>,
): Promise<{ postedMicro: number; heir: string | null; owedMicro: number }> {
  if (hold.plan > 0) await usePlan(tx, hold.id, charged.plan);
  const rows = await endPending.all(tx, {
    ledgerId: hold.ledger_id,
    heldPromotional: hold.promotional,
    heldPurchased: hold.purchased,
    chargedPromotional: charged.promotional,
    chargedPurchased: charged.purchased,
  });
  if (rows.length !== CREDITS.length) throw new Error('credits: a hold without its balance');
  const sum = (column: 'posted' | 'owed') => rows.reduce((all, row) => all + row[column], 0);
  return { postedMicro: sum('posted'), heir: rows[0]!.heir, owedMicro: sum('owed') };
}

/** Updates both kinds of credits at once, because the line in the token log needs both. */
const endPending = prepared((db, p: Moved) =>
  db
    .updateTable('balance')
    .set((eb) => {
      const less = (column: 'pending' | 'posted', promotional: number, purchased: number) =>
        eb
          .case('kind')
          .when(fixed('promotional'))
          .then(eb(column, '-', promotional))
          .else(eb(column, '-', purchased))
          .end();
      return {
        pending: less('pending', p.heldPromotional, p.heldPurchased),
        posted: less('posted', p.chargedPromotional, p.chargedPurchased),
      };
    })
    .where('ledger_id', '=', p.ledgerId)
    .returning(['posted', 'heir', 'owed']),
);

interface Moved {
  ledgerId: string;
  heldPromotional: number;
  heldPurchased: number;
  chargedPromotional: number;
  chargedPurchased: number;
}

async function chargeFund(tx: Tx, hold: HoldRow, fund: Fund, amount: number, id: string, at: number): Promise<void> {
  if (amount === 0) return;
  await post(tx, {
    id,
    debit: fundAccount(fund, hold.ledger_id),
    credit: HOUSE.revenue,
    amount,
    kind: 'charge',
    request_id: hold.run_id,
    hold_id: hold.id,
    at,
  });
}

/** Tries to charge the cost beyond a hold, all of it from one fund. Returns the amount charged. */
async function chargeBeyond(tx: Tx, hold: HoldRow, amount: number, at: number): Promise<number> {
  for (const fund of CREDITS) {
    const { numUpdatedRows } = await tx
      .updateTable('balance')
      .set((eb) => ({ posted: eb('posted', '-', amount) }))
      .where('ledger_id', '=', hold.ledger_id)
      .where('kind', '=', fund)
      .where((eb) => eb(eb('posted', '-', eb.ref('pending')), '>=', amount))
      .executeTakeFirst();
    if (numUpdatedRows === 0n) continue;
    await chargeFund(tx, hold, fund, amount, `${hold.id}:beyond`, at);
    return amount;
  }
  return 0;
}

/** The house pays itself: revenue that no account is charged for. */
async function absorb(tx: Tx, hold: HoldRow, amount: number, at: number): Promise<void> {
  await post(tx, {
    id: `${hold.id}:absorbed`,
    debit: HOUSE.absorbed,
    credit: HOUSE.revenue,
    amount,
    kind: 'absorbed',
    request_id: hold.run_id,
    hold_id: hold.id,
    at,
  });
}

function useColumns({ runId, conversationId, model, tool, usage }: RunUse, hold: HoldRow) {
  return {
    run_id: runId,
    conversation_id: conversationId,
    model,
    tool,
    key_id: keyOf(hold),
    key_name: hold.key_name,
    input_tokens: usage.inputTokens,
    cached_input_tokens: usage.cachedInputTokens,
    output_tokens: usage.outputTokens,
    estimated: usage.estimated ? 1 : 0,
  };
}

/** The API key that a run was begun by; null if it was begun by a session. */
export async function findKeyOf(db: Reader, runId: string): Promise<string | null> {
  const hold = await db.selectFrom('hold').select('key_id').where('run_id', '=', runId).executeTakeFirst();
  return hold ? keyOf(hold) : null;
}
