import { sql } from 'kysely';
import type { Picture } from '../../../shared/decisions.ts';
import type { CaseDecision } from '../../../shared/desk.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { AppealRow, DecisionRow } from '../../platform/db/schema.ts';
import { nameOf, OPERATOR } from '../reviewers/names.ts';
import { countWorking } from '../reviewers/store.ts';

// Decisions and appeals, as rows.

const number = (value: number | null) => (value === null ? null : Number(value));

/** The times and amounts of a decision as numbers: PostgreSQL sends them as texts. */
const toDecision = (row: DecisionRow): DecisionRow => ({
  ...row,
  flag_number: Number(row.flag_number),
  at: Number(row.at),
  until_at: number(row.until_at),
  delete_at: number(row.delete_at),
  taken_micro: number(row.taken_micro),
  answered_at: number(row.answered_at),
});

const toAppeal = (row: AppealRow): AppealRow => ({ ...row, at: Number(row.at), decided_at: number(row.decided_at) });

export async function insertDecision(tx: Tx, row: Omit<DecisionRow, 'answer' | 'answered_at'>): Promise<void> {
  await tx
    .insertInto('decision')
    .values({ ...row, answer: null, answered_at: null })
    .execute();
}

/** The decisions in a case, oldest first. */
export async function findDecisions(db: Reader, flagNumber: number): Promise<DecisionRow[]> {
  const rows = await db
    .selectFrom('decision')
    .selectAll()
    .where('flag_number', '=', flagNumber)
    .orderBy('step')
    .execute();
  return rows.map(toDecision);
}

/** The decisions about an account, newest first. */
export async function findDecisionsAbout(db: Reader, accountId: string): Promise<DecisionRow[]> {
  return (await selectAbout.all(db, { accountId })).map(toDecision);
}
const selectAbout = prepared((db, p: { accountId: string }) =>
  db
    .selectFrom('decision')
    .selectAll()
    .where('account_id', '=', p.accountId)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc'),
);

/** A decision about this account, locked; null: there is none. */
export async function lockDecision(tx: Tx, id: string, accountId: string): Promise<DecisionRow | null> {
  const row = await tx
    .updateTable('decision')
    .set((eb) => ({ step: eb.ref('step') }))
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .returningAll()
    .executeTakeFirst();
  return row ? toDecision(row) : null;
}

/** Those of these cases that signals led to. */
export async function findCounted(db: Reader, numbers: readonly number[]): Promise<Set<number>> {
  const rows = await db
    .selectFrom('risk_flag')
    .select('number')
    .where('number', 'in', numbers)
    .where('kind', 'in', ['sharing', 'not_enough'])
    .execute();
  return new Set(rows.map(({ number }) => Number(number)));
}

export async function findDecision(db: Reader, id: string, accountId: string): Promise<DecisionRow | null> {
  const row = await db
    .selectFrom('decision')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row ? toDecision(row) : null;
}

export async function findAppeal(db: Reader, decisionId: string): Promise<AppealRow | null> {
  const row = await db.selectFrom('appeal').selectAll().where('decision_id', '=', decisionId).executeTakeFirst();
  return row ? toAppeal(row) : null;
}

/** The appeals against these decisions, by decision. */
export async function findAppeals(db: Reader, decisionIds: readonly string[]): Promise<Map<string, AppealRow>> {
  if (decisionIds.length === 0) return new Map();
  const rows = await db.selectFrom('appeal').selectAll().where('decision_id', 'in', decisionIds).execute();
  return new Map(rows.map((row) => [row.decision_id, toAppeal(row)]));
}

/** The pictures of these decisions without their bytes, oldest first, by decision. */
export async function findPictures(
  db: Reader,
  decisionIds: readonly string[],
): Promise<Map<string, (Picture & { isSent: boolean })[]>> {
  const found = new Map<string, (Picture & { isSent: boolean })[]>();
  if (decisionIds.length === 0) return found;
  const rows = await db
    .selectFrom('appeal_picture')
    .select(['id', 'decision_id', 'width', 'height', 'is_sent'])
    .select(sql<number>`length(bytes)`.as('bytes'))
    .where('decision_id', 'in', decisionIds)
    .orderBy('at')
    .orderBy('id')
    .execute();
  for (const { id, decision_id, width, height, bytes, is_sent } of rows) {
    const picture = { id, width, height, bytes: Number(bytes), isSent: is_sent === 1 };
    found.set(decision_id, [...(found.get(decision_id) ?? []), picture]);
  }
  return found;
}

/** The name of somebody who decided. */
export async function deciderOf(db: Reader, by: { reviewer_id: string | null; is_operators: number }): Promise<string> {
  if (by.is_operators === 1) return OPERATOR;
  const row =
    by.reviewer_id === null
      ? undefined
      : await db.selectFrom('account').select(['name', 'email']).where('id', '=', by.reviewer_id).executeTakeFirst();
  return nameOf(row ?? { name: null, email: null });
}

const when = (at: number | null) => (at === null ? null : iso(at));

/** A decision as the desk shows it. */
export const toCaseDecision = (row: DecisionRow, by: string): CaseDecision => ({
  id: row.id,
  step: row.step,
  kind: row.kind,
  at: iso(row.at),
  by,
  until: when(row.until_at),
  takenMicro: row.taken_micro,
  why: row.why,
  rule: row.rule,
  answer: row.answer,
  answeredAt: when(row.answered_at),
});

/**
 * Whether there is a reviewer who can hear an appeal: neither the one who has decided, nor the owner of the account, nor
 * one who has never opened the desk.
 */
export async function hasOtherReviewer(
  db: Reader,
  { decidedBy, accountId }: { decidedBy: string | null; accountId: string },
  now: number,
): Promise<boolean> {
  return (await countWorking(db, now, [decidedBy, accountId])) > 0;
}
