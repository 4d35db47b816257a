import { sql } from 'kysely';
import { APPEAL_DAYS } from '../../../shared/decisions.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { purgeFlags } from '../../risk/flags/store.ts';
import { keepAtLeast } from './effects.ts';

// How long cases are kept, and what of them is deleted with an account.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Before an account is deleted, and after its flags have ended: what was written goes; what was decided stays as long as its flag, without a name. */
export async function forgetCases(tx: Tx, accountId: string): Promise<void> {
  // First: it waits for an appeal or an answer that is being written, so that what follows finds it.
  const decisions = await tx
    .updateTable('decision')
    .set({ account_id: null, why: null, answer: null })
    .where('account_id', '=', accountId)
    .returning(['id', 'flag_number'])
    .execute();
  if (decisions.length === 0) return;
  const numbers = decisions.map(({ flag_number }) => flag_number);
  await tx.updateTable('second_look').set({ why: '' }).where('flag_number', 'in', numbers).execute();
  await tx
    .updateTable('appeal')
    .set({ account_id: null, time: null, use_case: null, why: null })
    .where('account_id', '=', accountId)
    .execute();
  await tx.deleteFrom('appeal_picture').where('account_id', '=', accountId).execute();
}

/** In a restored database decisions and appeals since the backup are missing: whoever was closed can appeal anew. */
export async function keepClosedAccounts(tx: Tx, now: number): Promise<void> {
  for (const accountId of await closedAccounts(tx)) await keepAtLeast(tx, accountId, now + APPEAL_DAYS * DAY_MS);
}

/** Deletes cases 6 months after they ended: not while an appeal is open, or while a suspension lasts. */
export async function purgeCases(tx: Tx, now: number): Promise<void> {
  const kept = tx
    .selectFrom('decision')
    .leftJoin('appeal', 'appeal.decision_id', 'decision.id')
    .select('decision.flag_number')
    .where('decision.account_id', 'is not', null)
    .where((eb) =>
      eb.or([
        eb.and([eb('appeal.decision_id', 'is not', null), eb('appeal.outcome', 'is', null)]),
        eb.and([
          eb('decision.kind', 'in', ['suspend', 'close']),
          eb.or([eb('appeal.outcome', 'is', null), eb('appeal.outcome', '<>', 'reversed')]),
          eb.or([eb('decision.until_at', 'is', null), eb('decision.until_at', '>', now)]),
        ]),
      ]),
    );
  await purgeFlags(tx, now, kept);
}

/** Accounts that a decision has closed, whose time for an appeal is over, and that no appeal is open for. */
export const closedByDecision = (db: Reader, now: number) =>
  db
    .selectFrom('account')
    .where('suspended_at', 'is not', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('decision')
          .select('decision.id')
          .whereRef('decision.account_id', '=', 'account.id')
          // An appeal in the last moment may still be on its way.
          .where('decision.delete_at', '<=', now - HOUR_MS),
      ),
    )
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('appeal')
            .select(sql`1`.as('one'))
            .whereRef('appeal.account_id', '=', 'account.id')
            .where('appeal.outcome', 'is', null),
        ),
      ),
    );

/** Ids of the accounts that a decision has closed: a plan of theirs must not renew. */
export async function closedAccounts(db: Reader): Promise<string[]> {
  const rows = await db
    .selectFrom('decision')
    .select('account_id')
    .distinct()
    .where('delete_at', 'is not', null)
    .where('account_id', 'is not', null)
    .execute();
  return rows.map(({ account_id }) => account_id!);
}
