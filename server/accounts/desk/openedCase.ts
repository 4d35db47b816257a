import type { DecisionKind } from '../../../shared/decisions.ts';
import type { Case, CaseAccount, CaseDecision } from '../../../shared/desk.ts';
import { findPlan } from '../../credits/plans/plans.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader } from '../../platform/db/database.ts';
import type { DecisionRow } from '../../platform/db/schema.ts';
import { type Declared, type Flag, findDeclared } from '../../risk/flags/store.ts';
import { mayDecide, whyNotHear } from '../cases/rules.ts';
import {
  deciderOf,
  findAppeal,
  findDecisions,
  findPictures,
  hasOtherReviewer,
  toCaseDecision,
} from '../cases/store.ts';
import { suspensionOf } from '../sessions/tokens.ts';
import { findSeconds, type Looks } from './lists.ts';

// A case as a reviewer opens it: the account with what is needed to judge its use, and no more.

/** The whole case. What a second look must not see is left out. */
export async function readCase(db: Reader, flag: Flag, looks: Looks, now: number): Promise<Case> {
  const { number, kind, accountId, openedAt, endedAt, dossier } = flag;
  const decisions = await findDecisions(db, number);
  const shown: CaseDecision[] = [];
  for (const row of decisions) shown.push(toCaseDecision(row, await deciderOf(db, row)));
  const isSecond = (await findSeconds(db, looks, [number])).has(number);
  const look = await findSecondLook(db, number);
  const last = decisions.at(-1);
  const state = {
    kind,
    accountId,
    endedAt,
    lastKind: last?.kind ?? null,
    isAnswered: last?.kind === 'ask' && last.answer !== null,
    reviewerId: looks.reviewerId,
  };
  const { may, whyNot } = mayDecide(state);
  return {
    number,
    kind,
    openedAt: iso(openedAt),
    endedAt: endedAt === null ? null : iso(endedAt),
    account: accountId === null ? null : await describeAccount(db, accountId, { number, looks, isSecond, now }),
    dossier,
    decisions: isSecond ? [] : shown,
    may,
    whyNot: isSecond ? 'This case is decided. Judge it by yourself, without seeing how.' : (whyNot?.text ?? null),
    appeal: last && !isSecond ? await readAppeal(db, last, accountId, looks, now) : null,
    second:
      isSecond || look
        ? { mayGive: isSecond, given: (look?.kind as DecisionKind | undefined) ?? null, why: look?.why ?? null }
        : null,
  };
}

const findSecondLook = (db: Reader, number: number) =>
  db.selectFrom('second_look').select(['kind', 'why']).where('flag_number', '=', number).executeTakeFirst();

async function readAppeal(
  db: Reader,
  { id, reviewer_id: decidedBy }: DecisionRow,
  accountId: string | null,
  { reviewerId }: Looks,
  now: number,
): Promise<Case['appeal']> {
  const row = await findAppeal(db, id);
  if (!row) return null;
  const pictures = (await findPictures(db, [id])).get(id) ?? [];
  const isDecided = row.outcome !== null;
  const others = accountId !== null && (await hasOtherReviewer(db, { decidedBy, accountId }, now));
  const byOperator = isDecided ? row.is_operators === 1 : !others;
  return {
    at: iso(row.at),
    time: row.time ?? '',
    useCase: row.use_case ?? '',
    pictures: pictures.filter(({ isSent }) => isSent).map(({ isSent: _, ...picture }) => picture),
    numbersMayBeUsed: row.numbers_may_be_used === 1,
    heardBy: byOperator ? 'operator' : 'another reviewer',
    outcome: row.outcome,
    decidedAt: row.decided_at === null ? null : iso(row.decided_at),
    why: row.why,
    decidedBy: isDecided ? await deciderOf(db, row) : null,
    mayDecide: whyNotHear({ accountId, decidedBy, isDecided, reviewerId }) === null,
  };
}

async function describeAccount(
  db: Reader,
  id: string,
  { number, looks, isSecond, now }: { number: number; looks: Looks; isSecond: boolean; now: number },
): Promise<CaseAccount | null> {
  const account = await db.selectFrom('account').selectAll().where('id', '=', id).executeTakeFirst();
  if (!account) return null;
  const ledgers = await db.selectFrom('wallet').select(['ledger_id', 'is_own']).where('account_id', '=', id).execute();
  const own = ledgers.find(({ is_own }) => is_own === 1);
  const sessions = await db
    .selectFrom('session')
    .select('kind')
    .where('account_id', '=', id)
    .where('ended_at', 'is', null)
    .execute();
  const keys = await db
    .selectFrom('api_key')
    .select('id')
    .where('account_id', '=', id)
    .where('revoked_at', 'is', null)
    .execute();
  const declared = await findDeclared(db, id);
  const suspended = suspensionOf(account, now);
  const { earlier, isAnySecret } = await findEarlier(db, looks, id, number);
  // The suspension may be what a second look must not see.
  const isHidden = isSecond || isAnySecret;
  return {
    id,
    label: account.email ?? account.name ?? id,
    createdAt: iso(Number(account.created_at)),
    tier: account.tier ?? 0,
    hasPlan: own !== undefined && (await findPlan(db, own.ledger_id, now)) !== undefined,
    hasPaid: await hasPaid(
      db,
      ledgers.map(({ ledger_id }) => ledger_id),
    ),
    devices: sessions.filter(({ kind }) => kind === 'device').length,
    browsers: sessions.filter(({ kind }) => kind === 'page').length,
    keys: keys.length,
    declared: inWords(declared),
    isTeam: declared.isTeam,
    suspendedUntil: isHidden || !suspended?.until ? null : iso(Number(suspended.until)),
    isSuspended: !isHidden && suspended !== null,
    earlier,
  };
}

async function hasPaid(db: Reader, ledgers: readonly string[]): Promise<boolean> {
  if (ledgers.length === 0) return false;
  const row = await db
    .selectFrom('payment')
    .select('id')
    .where('ledger_id', 'in', ledgers)
    .where('paid_at', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** What an account's owner has declared, in words. */
function inWords({ ownGateway, severalMachines, automationKeys }: Declared): string[] {
  const keys = automationKeys.length;
  return [
    ...(ownGateway ? ['A gateway or proxy of their own stands in front of their tools.'] : []),
    ...(severalMachines ? ['They work on several machines, in containers or in the cloud.'] : []),
    ...(keys > 0 ? [`Programs use ${keys === 1 ? 'one key' : `${keys} keys`} by themselves.`] : []),
  ];
}

/** The account's other cases, the newest first, each with its last decision. */
async function findEarlier(
  db: Reader,
  looks: Looks,
  accountId: string,
  number: number,
): Promise<{ earlier: CaseAccount['earlier']; isAnySecret: boolean }> {
  const rows = await db
    .selectFrom('risk_flag as f')
    .select((eb) => [
      'f.number',
      'f.kind',
      eb
        .selectFrom('decision')
        .select('decision.kind')
        .whereRef('decision.flag_number', '=', 'f.number')
        .orderBy('decision.step', 'desc')
        .limit(1)
        .as('decision'),
      eb
        .selectFrom('decision')
        .innerJoin('appeal', 'appeal.decision_id', 'decision.id')
        .select('appeal.outcome')
        .whereRef('decision.flag_number', '=', 'f.number')
        .orderBy('decision.step', 'desc')
        .limit(1)
        .as('outcome'),
    ])
    .where('f.account_id', '=', accountId)
    .where('f.number', '<>', number)
    .orderBy('f.number', 'desc')
    .limit(20)
    .execute();
  const earlier = rows.map((row) => ({
    ...{ number: Number(row.number), kind: row.kind, decision: row.decision },
    ...(row.outcome === 'reversed' ? { isReversed: true } : {}),
  }));
  const secret = await findSeconds(
    db,
    looks,
    earlier.map((one) => one.number),
  );
  return {
    earlier: earlier.map((one) => (secret.has(one.number) ? { ...one, decision: null } : one)),
    isAnySecret: secret.size > 0,
  };
}
