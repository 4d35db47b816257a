import { type RawBuilder, sql } from 'kysely';
import type { DecisionKind } from '../../../shared/decisions.ts';
import type { CaseKind, CaseLine, Cases, List } from '../../../shared/desk.ts';
import type { Dossier, DossierLine } from '../../../shared/risk.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader } from '../../platform/db/database.ts';

// The lists of the desk, without the accounts. A reviewer's own cases are in none of them.

const PER_PAGE = 50;
/** So many reviewers are needed for second looks, and one case in so many gets one. */
const REVIEWERS_FOR_SECONDS = 2;
const ONE_IN = 5;

/** A case that nobody has looked at for so long waits no more. */
const SECONDS_MS = 90 * 24 * 3_600_000;

/** Who looks when (ms), and how many reviewers there are then. */
export interface Looks {
  reviewerId: string;
  reviewers: number;
  at: number;
}

/**
 * The cases that this reviewer may see (f), each with its last decision (d) and the appeal against it (a), of which there
 * may be none.
 */
const casesFor = (db: Reader, { reviewerId }: Looks) =>
  db
    .selectFrom('risk_flag as f')
    .leftJoin('decision as d', (join) =>
      join
        .onRef('d.flag_number', '=', 'f.number')
        .on('d.step', '=', sql<number>`(select max(x.step) from decision x where x.flag_number = f.number)`),
    )
    .leftJoin('appeal as a', 'a.decision_id', 'd.id')
    .where((eb) => eb.or([eb('f.account_id', 'is', null), eb('f.account_id', '<>', reviewerId)]));

/**
 * Whether a case waits for a second look of this reviewer. It has to be blind: not of somebody who has decided anything
 * in it, nor after an appeal, whose list shows the decision.
 */
const waitsForSecond = ({ reviewerId, reviewers, at }: Looks): RawBuilder<boolean> =>
  reviewers < REVIEWERS_FOR_SECONDS
    ? sql`1 = 0`
    : sql`(f.number % ${sql.lit(ONE_IN)} = 0 and f.kind <> 'operator' and f.ended_at is not null
        and f.number in (select late.flag_number from decision late
          where late.at > ${at - SECONDS_MS} and late.flag_number % ${sql.lit(ONE_IN)} = 0)
        and f.account_id is not null and d.id is not null and d.is_operators = 0 and a.decision_id is null
        and not exists (select 1 from decision mine where mine.flag_number = f.number and mine.reviewer_id = ${reviewerId})
        and not exists (select 1 from second_look s where s.flag_number = f.number))`;

const inList = (list: List, looks: Looks): RawBuilder<boolean> => {
  switch (list) {
    case 'open':
      return sql`f.ended_at is null and d.id is null`;
    case 'asked':
      return sql`f.ended_at is null and d.id is not null`;
    case 'appeals':
      // By the few open appeals: the flags have large dossiers, which are not to be walked over.
      return sql`a.outcome is null and f.account_id is not null and f.number in (select x.flag_number
        from appeal y inner join decision x on x.id = y.decision_id where y.outcome is null) and a.decision_id is not null`;
    case 'seconds':
      return waitsForSecond(looks);
    case 'decided':
      return sql`f.ended_at is not null and d.id is not null`;
    default:
      return list satisfies never;
  }
};

/** How many cases wait, by list. */
export async function countWaiting(
  db: Reader,
  looks: Looks,
): Promise<Record<'open' | 'asked' | 'appeals' | 'seconds', number>> {
  // Each by its own conditions, so that the engine begins at the few rows that wait.
  const count = async (list: List) => {
    const { count } = await casesFor(db, looks)
      .select((eb) => eb.fn.countAll<number | string>().as('count'))
      .where(inList(list, looks))
      .executeTakeFirstOrThrow();
    return Number(count);
  };
  return {
    open: await count('open'),
    asked: await count('asked'),
    appeals: await count('appeals'),
    seconds: await count('seconds'),
  };
}

/** A page of a list, the newest cases first. */
export async function listCases(
  db: Reader,
  looks: Looks,
  { list, kind, before }: { list: List; kind?: CaseKind; before?: number },
): Promise<Cases> {
  let query = casesFor(db, looks)
    .select(['f.number', 'f.kind', 'f.opened_at', 'f.dossier'])
    .select([
      'd.kind as decision',
      'd.at as decided_at',
      'd.reviewer_id',
      'd.answered_at',
      'a.at as appealed_at',
      'a.outcome',
    ])
    .select(sql<number>`case when ${waitsForSecond(looks)} then 1 else 0 end`.as('is_secret'))
    .where(inList(list, looks))
    .orderBy('f.number', 'desc')
    .limit(PER_PAGE + 1);
  if (kind !== undefined) query = query.where('f.kind', '=', kind);
  if (before !== undefined) query = query.where('f.number', '<', before);
  const rows = await query.execute();
  const page = rows.slice(0, PER_PAGE);
  const cases = page.map((row): CaseLine => {
    const dossier = JSON.parse(row.dossier) as Dossier;
    const since = list === 'open' ? row.opened_at : list === 'appeals' ? row.appealed_at : row.decided_at;
    return {
      number: Number(row.number),
      kind: row.kind,
      openedAt: iso(Number(row.opened_at)),
      since: iso(Number(since)),
      probability: row.kind === 'sharing' ? dossier.probability : null,
      for: spoken(dossier, 'for').length,
      against: spoken(dossier, 'against').length,
      summary: summaryOf(dossier),
      decision: Number(row.is_secret) === 1 ? null : (row.decision as DecisionKind | null),
      ...(row.outcome === 'reversed' ? { isReversed: true } : {}),
      isAnswered: row.decision === 'ask' && row.answered_at !== null,
      isOwn: list === 'appeals' && row.reviewer_id === looks.reviewerId,
    };
  });
  return { cases, next: rows.length > PER_PAGE ? cases.at(-1)!.number : null };
}

const spoken = ({ lines }: Dossier, speaks: DossierLine['speaks']) => lines.filter((line) => line.speaks === speaks);

/** The strongest sign, in a sentence. */
export function summaryOf(dossier: Dossier): string {
  const [strongest] = spoken(dossier, 'for').sort((a, b) => b.nats - a.nats);
  if (strongest) return strongest.sentence;
  return dossier.kind === 'operator' ? 'Decided by the operator’s command.' : dossier.rule;
}

/** Which of these cases wait for a second look of this reviewer. */
export async function findSeconds(db: Reader, looks: Looks, numbers: readonly number[]): Promise<Set<number>> {
  if (numbers.length === 0 || looks.reviewers < REVIEWERS_FOR_SECONDS) return new Set();
  const rows = await casesFor(db, looks)
    .select('f.number')
    .where('f.number', 'in', numbers)
    .where(waitsForSecond(looks))
    .execute();
  return new Set(rows.map((row) => Number(row.number)));
}
