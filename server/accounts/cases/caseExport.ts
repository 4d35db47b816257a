import type { DecisionKind } from '../../../shared/decisions.ts';
import type { Reader } from '../../platform/db/database.ts';
import { findFlag } from '../../risk/flags/store.ts';
import { type CaseNumbers, numbersOf } from '../../risk/score/caseNumbers.ts';

/** A case as numbers alone, for the cases that the rules are tried on. Nothing in it says whose it was, or when. */
export interface ExportedCase extends CaseNumbers {
  decision: DecisionKind;
  /** The appeal has reversed the decision. */
  isReversed: boolean;
}

/**
 * `no_numbers`: the case is of another kind, or of an older version. `no_appeal`, `no_consent`: its owner has not allowed
 * it. `not_heard`: the appeal is open.
 */
export type NotExported = 'no_case' | 'no_numbers' | 'no_appeal' | 'no_consent' | 'not_heard';

/** A decided case, if its owner has allowed it in an appeal. */
export async function exportCase(db: Reader, number: number): Promise<ExportedCase | NotExported> {
  const flag = await findFlag(db, number);
  if (!flag) return 'no_case';
  const numbers = numbersOf(flag.dossier);
  if (!numbers) return 'no_numbers';
  const appeal = await db
    .selectFrom('decision')
    .innerJoin('appeal', 'appeal.decision_id', 'decision.id')
    .select(['decision.kind', 'appeal.numbers_may_be_used', 'appeal.outcome'])
    .where('decision.flag_number', '=', number)
    .orderBy('decision.step', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!appeal) return 'no_appeal';
  if (appeal.numbers_may_be_used !== 1) return 'no_consent';
  if (appeal.outcome === null) return 'not_heard';
  return { ...numbers, decision: appeal.kind, isReversed: appeal.outcome === 'reversed' };
}
