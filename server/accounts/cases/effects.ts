import { giveWithin, takeBack } from '../../credits/holds/promotions.ts';
import { type Ids, iso } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { DecisionRow } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import { restoreLink, revokeLink } from '../referrals/links.ts';
import { readSuspension, restore, suspend } from './sanctions.ts';
import { findDecisionsAbout } from './store.ts';

// What a decision does to an account, and how a won appeal undoes it.

/** The runs layer is above the accounts, so the assembly passes this in. */
export interface StopsRuns {
  stopRunsOf(tx: Tx, accountId: string): Promise<number>;
}

export interface EffectDeps {
  ids: Ids;
  runs: StopsRuns;
}

/** A decision that is being made about an account that is there. */
export type Made = Omit<DecisionRow, 'answer' | 'answered_at'> & { account_id: string; why: string };

/** Carries a decision out. Returns what was taken back, for a credit reset. */
export async function takeEffect(tx: Tx, { ids, runs }: EffectDeps, made: Made): Promise<number | null> {
  const { id, account_id: accountId, kind, at } = made;
  switch (kind) {
    case 'nothing':
    case 'ask':
    case 'warn':
      return null;
    case 'reset': {
      // The books outlive the account, so what was written about it is not in them.
      const reason = `Taken back by a decision: case ${made.flag_number}`;
      const back = await takeBack(tx, { accountId, mostMicro: null, id, reason, at });
      return back.kind === 'taken' ? back.takenMicro : 0;
    }
    case 'referrals':
      await revokeLink(tx, ids, accountId, at);
      return null;
    case 'suspend':
    case 'close':
      await suspendAs(tx, runs, made);
      return null;
    default:
      return kind satisfies never;
  }
}

/** What a suspended owner reads. */
function whyOf({ kind, why, delete_at }: Pick<DecisionRow, 'kind' | 'why' | 'delete_at'>): string {
  if (kind !== 'close' || delete_at === null) return why ?? '';
  return `${sentence(why ?? '')} This account is closed: it is deleted for good on ${iso(delete_at)}, unless an appeal is open then.`;
}

const sentence = (text: string) => (/[.!?…]$/.test(text) || text === '' ? text : `${text}.`);

/** A reviewer's suspension never shortens one that is in force. */
async function suspendAs(tx: Tx, runs: StopsRuns, made: Made): Promise<void> {
  const { account_id: accountId, at, until_at } = made;
  const current = await readSuspension(tx, accountId, at);
  const lastsLonger = current && (current.until === null || (until_at !== null && current.until > until_at));
  if (made.kind === 'suspend' && made.is_operators === 0 && lastsLonger) return;
  if (!(await suspend(tx, runs, accountId, { why: whyOf(made), until: until_at, at })))
    throw new AppError('not_to_decide', 'The account is gone: there is nothing to decide.');
}

/** Undoes what a decision did, and what still counts of it. Other decisions about the account stay. */
export async function undo(tx: Tx, decision: DecisionRow & { account_id: string }, at: number): Promise<void> {
  const { id, account_id: accountId, kind, flag_number, taken_micro } = decision;
  switch (kind) {
    case 'nothing':
    case 'ask':
    case 'warn':
      return;
    case 'reset': {
      if (!taken_micro) return;
      const reason = `Given back: your appeal was right (case ${flag_number})`;
      const gift = { accountId, amountMicro: taken_micro, key: `appeal:${id}`, reason };
      const { kind: given } = await giveWithin(tx, gift, at);
      if (given === 'too_much')
        throw new AppError(
          'not_to_decide',
          'The account has as many credits as an account can have. Nothing was decided.',
        );
      if (given === 'id_taken') throw new Error('an appeal was to give back something else before');
      return;
    }
    case 'referrals':
      if (!(await standing(tx, accountId, id)).some((other) => other.kind === 'referrals'))
        await restoreLink(tx, accountId);
      return;
    case 'suspend':
    case 'close':
      await tx.updateTable('decision').set({ delete_at: null }).where('id', '=', id).execute();
      return endSuspensionOf(tx, decision, at);
    default:
      kind satisfies never;
  }
}

/** The other decisions about an account that no appeal has reversed. */
async function standing(tx: Tx, accountId: string, but: string): Promise<DecisionRow[]> {
  const reversed = await tx
    .selectFrom('appeal')
    .select('decision_id')
    .where('account_id', '=', accountId)
    .where('outcome', '=', 'reversed')
    .execute();
  const gone = new Set([but, ...reversed.map(({ decision_id }) => decision_id)]);
  return (await findDecisionsAbout(tx, accountId)).filter(({ id }) => !gone.has(id));
}

const isSuspension = ({ kind }: DecisionRow) => kind === 'suspend' || kind === 'close';
const isInForce = (row: DecisionRow, at: number) => isSuspension(row) && (row.until_at === null || row.until_at > at);
/** Closed before suspended until further notice, before any day. */
const strength = ({ kind, until_at }: DecisionRow) =>
  kind === 'close' ? Number.POSITIVE_INFINITY : (until_at ?? Number.MAX_SAFE_INTEGER);

/** Ends the suspension if it is this decision's. Another decision that suspends the account takes its place. */
async function endSuspensionOf(tx: Tx, decision: DecisionRow & { account_id: string }, at: number): Promise<void> {
  const accountId = decision.account_id;
  const current = await readSuspension(tx, accountId, at);
  if (current?.since !== decision.at) return;
  const others = (await standing(tx, accountId, decision.id)).filter((other) => isInForce(other, at));
  const strongest = others.sort((a, b) => strength(b) - strength(a))[0];
  if (!strongest) return void (await restore(tx, accountId));
  const why = whyOf(strongest);
  await suspend(tx, { stopRunsOf: async () => 0 }, accountId, { why, until: strongest.until_at, at: strongest.at });
}

/** Ends every decision that suspends or closes the account now, and the suspension with them. */
export async function reinstate(tx: Tx, accountId: string, at: number): Promise<boolean> {
  await endEarlier(tx, accountId, at);
  return restore(tx, accountId);
}

/** Ends what earlier decisions suspend or close: the operator decides anew. */
export async function endEarlier(tx: Tx, accountId: string, at: number): Promise<void> {
  await tx
    .updateTable('decision')
    .set({ until_at: at, delete_at: null })
    .where('account_id', '=', accountId)
    .where('kind', 'in', ['suspend', 'close'])
    .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', at)]))
    .execute();
}

/** Moves the day on which a closed account is deleted, as its owner reads it. */
export async function deleteLater(tx: Tx, decision: DecisionRow & { account_id: string }, at: number): Promise<void> {
  await tx.updateTable('decision').set({ delete_at: at }).where('id', '=', decision.id).execute();
  const why = whyOf({ ...decision, delete_at: at });
  await tx
    .updateTable('account')
    .set({ suspended_why: why })
    .where('id', '=', decision.account_id)
    .where('suspended_at', '=', decision.at)
    .execute();
}
