import { REASONS, type Reason } from '../../../shared/runs.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { HoldRow, TransferRow } from '../../platform/db/schema.ts';
import { lockWallet, lockWalletOf, post, postedOf, readFunds, writeLog } from '../journal/journal.ts';
import { passOn } from '../journal/moves.ts';
import { repayFreed } from '../journal/purchases.ts';
import { usePlan } from '../plans/plans.ts';
import { CREDITS, FUNDS, fundAccount, HOUSE, NOTHING, type Refund, refund, type Split } from '../rules/ledger.ts';
import { keyOf } from './keyMonths.ts';

/** What a run was charged and how much was refunded, by fund. */
export interface Charge {
  hold: HoldRow;
  charged: Split;
  refunded: Split;
}

/**
 * Reads a run's charge and locks the account's wallet, so that other refunds to the account wait for this transaction.
 * The charge may be on the ledger of a guest that the account took over.
 */
export async function lockCharge(tx: Tx, accountId: string, runId: string): Promise<Charge> {
  const find = () =>
    tx
      .selectFrom('hold')
      .innerJoin('wallet', 'wallet.ledger_id', 'hold.ledger_id')
      .selectAll('hold')
      .where('hold.run_id', '=', runId)
      .where('wallet.account_id', '=', accountId)
      .executeTakeFirst();
  const known = await find();
  if (!known) throw new Error('credits: a run without a hold');
  await lockWalletOf(tx, known.ledger_id);
  await lockWallet(tx, accountId);
  // Read again, now under the locks.
  const hold = (await find())!;
  const ledgerId = hold.ledger_id;
  const transfers = await tx.selectFrom('transfer').selectAll().where('hold_id', '=', hold.id).execute();
  const split = (kind: TransferRow['kind'], side: 'debit' | 'credit') => {
    const sums: Split = { ...NOTHING };
    for (const transfer of transfers.filter((t) => t.kind === kind))
      for (const fund of FUNDS) if (transfer[side] === fundAccount(fund, ledgerId)) sums[fund] += transfer.amount;
    return sums;
  };
  return { hold, charged: split('charge', 'debit'), refunded: split('refund', 'credit') };
}

/**
 * Refunds a run's whole charge once, to the funds it came from. `charge` must be locked in this transaction; the user
 * sees `reason`.
 */
export async function refundRun(
  tx: Tx,
  { hold, charged, refunded }: Charge,
  run: { conversationId: string | null; model: string; tool: string },
  reason: Reason,
  at: number,
): Promise<Refund> {
  const decision = refund(charged, refunded);
  if (decision.kind !== 'refund') return decision;
  // From here the refund must succeed.
  let heir: string | null = null;
  let owedMicro = 0;
  for (const fund of CREDITS) {
    const row = await tx
      .updateTable('balance')
      .set((eb) => ({ posted: eb('posted', '+', decision.split[fund]) }))
      .where('ledger_id', '=', hold.ledger_id)
      .where('kind', '=', fund)
      .returning(['heir', 'owed'])
      .executeTakeFirst();
    if (!row) throw new Error('credits: a refund without its balance');
    heir ??= row.heir;
    owedMicro += row.owed;
  }
  if (decision.split.plan > 0) await usePlan(tx, hold.id, charged.plan - decision.split.plan);
  for (const fund of FUNDS.toReversed()) {
    if (decision.split[fund] === 0) continue;
    await post(tx, {
      id: `${hold.id}:refund:${fund}`,
      debit: HOUSE.refunds,
      credit: fundAccount(fund, hold.ledger_id),
      amount: decision.split[fund],
      kind: 'refund',
      request_id: hold.run_id,
      hold_id: hold.id,
      at,
    });
  }
  await writeLog(tx, hold.ledger_id, {
    id: `refund:${hold.run_id}`,
    kind: 'refund',
    amount: decision.refundedMicro,
    balance: postedOf(await readFunds(tx, hold.ledger_id)),
    reason: REASONS[reason],
    reason_code: reason,
    run_id: hold.run_id,
    conversation_id: run.conversationId,
    model: run.model,
    tool: run.tool,
    key_id: keyOf(hold),
    key_name: hold.key_name,
    at,
  });
  if (heir) await passOn(tx, hold.ledger_id, heir, `${hold.id}:refund`, at);
  if (owedMicro > 0) await repayFreed(tx, hold.ledger_id, `${hold.id}:refund`, at);
  return decision;
}
