import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exactCredits } from '../../../shared/money/amounts.ts';
import { type Clock, type Ids, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';
import { makePrivateFolder } from '../../platform/private.ts';
import { appealInCase, hear } from '../cases/appeals.ts';
import { suspendByOperator } from '../cases/decide.ts';
import { reinstate, type StopsRuns } from '../cases/effects.ts';
import { suspend } from '../cases/sanctions.ts';
import { deciderOf, hasOtherReviewer } from '../cases/store.ts';
import type { FoundAccount } from '../people/accountSearch.ts';
import { recordAct } from '../reviewers/acts.ts';
import { readCaseNumber } from '../reviewers/guard.ts';
import { columns, named, Refused } from './commandText.ts';

// The operator's commands that decide about an account, and about appeals that no reviewer can hear.

export interface AppealCommandDeps {
  db: Database;
  clock: Clock;
  ids: Ids;
  runs: StopsRuns;
}

/** Suspends an account, as a case that its owner can appeal in. A guest has no page to appeal on. */
export async function suspendAccount(
  deps: AppealCommandDeps,
  account: FoundAccount,
  { why, until }: { why: string; until: number | null },
): Promise<string> {
  const { db, clock, runs } = deps;
  const at = clock.now();
  const end = until === null ? 'until it is reinstated' : `until ${iso(until)}`;
  const told = `${named(account)} is suspended ${end}.`;
  if (account.kind === 'guest') {
    await db.write((tx) => suspend(tx, runs, account.id, { why, until, at }));
    return told;
  }
  const closed = await closings(db, account.id);
  const number = await db.write((tx) => suspendByOperator(tx, deps, { accountId: account.id, why, until, at }));
  const replaced = closed.map((other) => ` It takes the place of the closing in case ${other}: nothing is deleted.`);
  return `${told} Its owner can appeal for 30 days: case ${number}.${replaced.join('')}`;
}

/** The cases in which the account was closed, as far as it counts. */
async function closings(db: Database, accountId: string): Promise<number[]> {
  const rows = await db.read
    .selectFrom('decision')
    .select('flag_number')
    .where('account_id', '=', accountId)
    .where('delete_at', 'is not', null)
    .execute();
  return rows.map(({ flag_number }) => Number(flag_number));
}

export async function reinstateAccount({ db, clock }: AppealCommandDeps, account: FoundAccount): Promise<string[]> {
  if (!account.suspended) return [`${named(account)} was not suspended: nothing was changed.`];
  const at = clock.now();
  await db.write(async (tx) => {
    const inForce = await tx
      .selectFrom('decision')
      .select('flag_number')
      .where('account_id', '=', account.id)
      .where('kind', 'in', ['suspend', 'close'])
      .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', at)]))
      .execute();
    await reinstate(tx, account.id, at);
    for (const { flag_number } of inForce)
      await recordAct(tx, { at, by: 'operator', act: 'decided', flag: Number(flag_number), detail: 'reinstated' });
  });
  const open = await openAppeals(db, account.id);
  return [
    `The suspension of ${named(account)} has ended.`,
    ...open.map(({ number }) => `An appeal is open in case ${number}, and stays so until somebody decides it.`),
  ];
}

interface OpenAppeal {
  number: number;
  at: number;
  kind: string;
  accountId: string;
  decidedBy: string | null;
}

async function openAppeals(db: Database, accountId?: string): Promise<OpenAppeal[]> {
  let query = db.read
    .selectFrom('appeal')
    .innerJoin('decision', 'decision.id', 'appeal.decision_id')
    .select(['decision.flag_number', 'decision.kind', 'decision.reviewer_id', 'appeal.at', 'appeal.account_id'])
    .where('appeal.outcome', 'is', null)
    .where('appeal.account_id', 'is not', null)
    .orderBy('appeal.at');
  if (accountId !== undefined) query = query.where('appeal.account_id', '=', accountId);
  return (await query.execute()).map((row) => ({
    ...{ number: Number(row.flag_number), at: Number(row.at), kind: row.kind },
    ...{ accountId: row.account_id!, decidedBy: row.reviewer_id },
  }));
}

/** `appeals`: the open ones, the oldest first, and who hears each. */
export async function appealTable({ db, clock }: AppealCommandDeps): Promise<string[]> {
  const open = await openAppeals(db);
  if (open.length === 0) return ['No appeal is open.'];
  const rows = [];
  for (const { number, at, kind, accountId, decidedBy } of open) {
    const isReviewers = await hasOtherReviewer(db.read, { decidedBy, accountId }, clock.now());
    rows.push([String(number), iso(at).slice(0, 10), kind, isReviewers ? 'a reviewer' : 'you', accountId]);
  }
  return columns([['case', 'since', 'against', 'heard by', 'account'], ...rows]);
}

/** `appeal NUMBER`: what its owner says. */
export async function appealLines({ db, clock }: AppealCommandDeps, typed: string): Promise<string[]> {
  const number = numberOf(typed);
  const found = await appealInCase(db.read, number);
  if (!found) throw none(typed);
  const { decision, appeal } = found;
  const { account_id: accountId, reviewer_id: decidedBy } = decision;
  const isReviewers = accountId !== null && (await hasOtherReviewer(db.read, { decidedBy, accountId }, clock.now()));
  const pictures = await db.read
    .selectFrom('appeal_picture')
    .select('id')
    .where('decision_id', '=', decision.id)
    .where('is_sent', '=', 1)
    .execute();
  const state = isReviewers ? 'open: a reviewer hears it at the desk' : 'open: --uphold or --reverse decides it';
  return columns([
    ['case', String(number)],
    ['account', accountId ?? 'deleted'],
    ['against', decision.kind],
    ['by', await deciderOf(db.read, decision)],
    ['decided', iso(decision.at)],
    ...(decision.until_at === null ? [] : [['until', iso(decision.until_at)]]),
    ...(decision.taken_micro === null ? [] : [['taken back', exactCredits(decision.taken_micro)]]),
    ['why', decision.why ?? ''],
    ['appeal', iso(appeal.at)],
    ['time', appeal.time ?? ''],
    ['use', (appeal.use_case ?? '').replace(/\s+/g, ' ')],
    ['pictures', pictures.length === 0 ? 'none' : `${pictures.length}: --pictures FOLDER writes them`],
    ['state', appeal.outcome === null ? state : `${appeal.outcome} on ${iso(appeal.decided_at ?? 0)}`],
    ...(appeal.why === null ? [] : [['answer', appeal.why]]),
  ]);
}

/** `appeal NUMBER --pictures FOLDER`: writes the pictures of an appeal where only this user can read them. */
export async function writePictures(
  { db, clock }: AppealCommandDeps,
  typed: string,
  folder: string,
): Promise<string[]> {
  const number = numberOf(typed);
  const found = await appealInCase(db.read, number);
  if (!found) throw none(typed);
  const pictures = await db.read
    .selectFrom('appeal_picture')
    .select(['id', 'bytes'])
    .where('decision_id', '=', found.decision.id)
    .where('is_sent', '=', 1)
    .orderBy('at')
    .execute();
  if (pictures.length === 0) return ['The appeal has no pictures.'];
  // As at the desk: that they were seen is kept.
  await db.write(async (tx) => {
    for (const _ of pictures)
      await recordAct(tx, { at: clock.now(), by: 'operator', act: 'saw_picture', flag: number });
  });
  try {
    makePrivateFolder(folder);
    for (const [n, { bytes }] of pictures.entries())
      await writeFile(join(folder, `case-${number}-${n + 1}.webp`), bytes, { mode: 0o600 });
  } catch (error) {
    throw new Refused(1, `${folder} can't be written (${(error as NodeJS.ErrnoException).code}).`);
  }
  return [`Wrote ${pictures.length} to ${folder}. Delete them once the appeal is decided.`];
}

/** `appeal NUMBER --uphold|--reverse`: decides what no other reviewer can. */
export async function decideAppeal(
  deps: AppealCommandDeps,
  typed: string,
  { outcome, why }: { outcome: 'upheld' | 'reversed'; why: string },
): Promise<string> {
  const number = numberOf(typed);
  const at = deps.clock.now();
  try {
    const { decision } = await deps.db.write((tx) => hear(tx, { number, outcome, why, by: 'operator', at }));
    if (outcome === 'upheld') return `The decision in case ${number} stands.`;
    const back = decision.taken_micro ? ` ${exactCredits(decision.taken_micro)} credits are given back.` : '';
    return `The decision in case ${number} is reversed, and no longer has an effect.${back}`;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'not_found') throw none(typed);
    throw new Refused(1, error.detail);
  }
}

function numberOf(typed: string): number {
  const number = readCaseNumber(typed);
  if (number === null) throw none(typed);
  return number;
}

const none = (typed: string) =>
  new Refused(1, `There is no appeal in a case "${typed}". The command "appeals" lists the open ones.`);
