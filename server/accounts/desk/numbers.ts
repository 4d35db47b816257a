import { type RawBuilder, sql } from 'kysely';
import type { DecisionKind } from '../../../shared/decisions.ts';
import { DECISIONS } from '../../../shared/decisions.ts';
import { CASE_KINDS, type CaseKind, type FairUse, type Numbers } from '../../../shared/desk.ts';
import type { Database, Reader } from '../../platform/db/database.ts';

// How flags and decisions turn out. Numbers alone: no case and no account can be told from them but by who knows both.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What the public page is about. */
const PUBLIC_DAYS = 90;
/** The public numbers are computed at most so often, however many ask. */
const PUBLIC_EVERY_MS = 60_000;

/** A decided case: its last decision, and what an appeal has made of it. */
interface DecidedCase {
  kind: CaseKind;
  openedAt: number;
  decision: DecisionKind;
  decidedAt: number;
  isReversed: boolean;
  rulesVersion: number;
  thresholdVersion: number;
}

/**
 * The numbers of the last `days` days: cases by when they were opened or decided, appeals by when they were made or
 * decided, second looks by when they were given. The operator's own commands count as cases, but not by rule.
 */
export async function readNumbers({ read, engine }: Database, days: number, now: number): Promise<Numbers> {
  const since = now - days * DAY_MS;
  const opened = await countOpened(read, since);
  const decided = await findDecided(read, engine, since);
  const decisions = await countDecisions(read, since);
  return {
    days,
    cases: CASE_KINDS.map((kind) => {
      const ofKind = decided.filter((one) => one.kind === kind);
      return {
        kind,
        opened: opened.get(kind) ?? 0,
        decided: ofKind.length,
        decisions: DECISIONS.map((one) => ({ kind: one, count: decisions.get(`${kind} ${one}`) ?? 0 })).filter(
          ({ count }) => count > 0,
        ),
        hoursToDecision: medianHours(ofKind.map(({ openedAt, decidedAt }) => decidedAt - openedAt)),
      };
    }),
    rules: byRule(decided),
    appeals: await countAppeals(read, since),
    agreement: await countAgreement(read, since),
  };
}

/** The middle of some times in ms, in hours with one decimal; of two in the middle, their mean. Null: there is none. */
export function medianHours(timesMs: readonly number[]): number | null {
  if (timesMs.length === 0) return null;
  const sorted = [...timesMs].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const middle = (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
  return Math.round((10 * middle) / HOUR_MS) / 10;
}

/** The share that came to nothing, by the versions of the rules that opened the cases, newest first. */
function byRule(decided: readonly DecidedCase[]): Numbers['rules'] {
  const rules = new Map<string, Numbers['rules'][number]>();
  for (const { kind, rulesVersion, thresholdVersion, decision, isReversed } of decided) {
    if (kind === 'operator') continue;
    const key = `${rulesVersion} ${thresholdVersion} ${kind}`;
    const rule = rules.get(key) ?? { rulesVersion, thresholdVersion, kind, decided: 0, cameToNothing: 0 };
    rule.decided++;
    if (decision === 'nothing' || isReversed) rule.cameToNothing++;
    rules.set(key, rule);
  }
  return [...rules.values()].sort(
    (a, b) =>
      b.rulesVersion - a.rulesVersion ||
      b.thresholdVersion - a.thresholdVersion ||
      CASE_KINDS.indexOf(a.kind) - CASE_KINDS.indexOf(b.kind),
  );
}

async function countOpened(db: Reader, since: number): Promise<Map<CaseKind, number>> {
  const rows = await db
    .selectFrom('risk_flag')
    .select((eb) => ['kind', eb.fn.countAll<number | string>().as('count')])
    .where('opened_at', '>=', since)
    .groupBy('kind')
    .execute();
  return new Map(rows.map(({ kind, count }) => [kind, Number(count)]));
}

/** A question leaves its case open, so the last decision of a decided case is another. */
async function findDecided(db: Reader, engine: Database['engine'], since: number): Promise<DecidedCase[]> {
  // Dossiers are large: the engine reads the two numbers out of them.
  const inDossier = (name: string): RawBuilder<number | string | null> =>
    engine === 'sqlite'
      ? sql`json_extract(f.dossier, ${sql.lit(`$.${name}`)})`
      : sql`(f.dossier::json ->> ${sql.lit(name)})`;
  const rows = await db
    .selectFrom('risk_flag as f')
    .innerJoin('decision as d', 'd.flag_number', 'f.number')
    .leftJoin('appeal as a', 'a.decision_id', 'd.id')
    .select(['f.kind', 'f.opened_at', 'd.kind as decision', 'd.at as decided_at', 'a.outcome'])
    .select([inDossier('rulesVersion').as('rules'), inDossier('thresholdVersion').as('thresholds')])
    .where('d.at', '>=', since)
    .where('d.kind', '<>', 'ask')
    .execute();
  return rows.map((row) => ({
    kind: row.kind,
    openedAt: Number(row.opened_at),
    decision: row.decision,
    decidedAt: Number(row.decided_at),
    isReversed: row.outcome === 'reversed',
    rulesVersion: Number(row.rules ?? 0),
    thresholdVersion: Number(row.thresholds ?? 0),
  }));
}

/** By kind of case and of decision, questions included. */
async function countDecisions(db: Reader, since: number): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('decision as d')
    .innerJoin('risk_flag as f', 'f.number', 'd.flag_number')
    .select((eb) => ['f.kind as case_kind', 'd.kind', eb.fn.countAll<number | string>().as('count')])
    .where('d.at', '>=', since)
    .groupBy(['f.kind', 'd.kind'])
    .execute();
  return new Map(rows.map((row) => [`${row.case_kind} ${row.kind}`, Number(row.count)]));
}

async function countAppeals(db: Reader, since: number): Promise<Numbers['appeals']> {
  const rows = await db
    .selectFrom('appeal')
    .select(['at', 'decided_at', 'outcome'])
    .where((eb) => eb.or([eb('at', '>=', since), eb('decided_at', '>=', since)]))
    .execute();
  const decided = rows.filter((row) => row.decided_at !== null && Number(row.decided_at) >= since);
  return {
    made: rows.filter((row) => Number(row.at) >= since).length,
    decided: decided.length,
    reversed: decided.filter(({ outcome }) => outcome === 'reversed').length,
    hoursToDecision: medianHours(decided.map((row) => Number(row.decided_at) - Number(row.at))),
  };
}

async function countAgreement(db: Reader, since: number): Promise<Numbers['agreement']> {
  const rows = await db
    .selectFrom('second_look as s')
    .innerJoin('decision as d', 'd.flag_number', 's.flag_number')
    .select(['s.kind as second', 'd.kind as decided'])
    .where('s.at', '>=', since)
    .where('d.kind', '<>', 'ask')
    .execute();
  return { looked: rows.length, agreed: rows.filter(({ second, decided }) => second === decided).length };
}

/** The numbers that the operator shows to everybody; `read` reads them at most once a minute. */
export class PublicNumbers {
  #known: { at: number; numbers: Promise<FairUse> } | null = null;

  constructor(private readonly db: Database) {}

  read(now: number): Promise<FairUse> {
    const known = this.#known;
    if (known && Math.abs(now - known.at) < PUBLIC_EVERY_MS) return known.numbers;
    const numbers = readNumbers(this.db, PUBLIC_DAYS, now).then(({ rules: _, ...shown }) => shown);
    this.#known = { at: now, numbers };
    // A failed one is not kept.
    numbers.catch(() => (this.#known = null));
    return numbers;
  }
}
