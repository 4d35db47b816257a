import type { Database, Reader } from '../../platform/db/database.ts';
import { passes } from './auditChecks.ts';
import type { Invariant } from './auditPass.ts';

/** A broken invariant: its letter in the accounting rules, what was found, and the ids of at most five rows. */
export interface Violation {
  invariant: Invariant;
  what: string;
  ids: string[];
  count: number;
}

const SHOWN = 5;

/**
 * Checks the books as this transaction or connection sees them. An empty array means that every invariant holds. `now`
 * is compared with the leases; `graceMs` is how long the recovery may take to end a run.
 */
export async function audit(db: Reader, now: number, graceMs: number): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const { checks, rows } of passes(now - graceMs))
    found.push(...violations(checks, (await rows.execute(db)).rows));
  return found;
}

/** Audits a live database: all checks see the same snapshot, and no other transaction waits for them. */
export async function auditLive(db: Database, now: number, graceMs: number): Promise<Violation[]> {
  const all = passes(now - graceMs);
  const answers = await db.readAside(all.map(({ rows }) => rows.compile(db.read)));
  return all.flatMap(({ checks }, i) => violations(checks, answers[i]!));
}

/** Bit i of a row's `broken` is set if the row breaks check i. */
function violations(checks: readonly Pick<Violation, 'invariant' | 'what'>[], rows: { id: string; broken: unknown }[]) {
  return checks.flatMap(({ invariant, what }, i) => {
    const bad = rows.filter(({ broken }) => (Number(broken) >> i) & 1);
    if (bad.length === 0) return [];
    return [{ invariant, what, ids: bad.slice(0, SHOWN).map(({ id }) => id), count: bad.length }];
  });
}

/** "(b) a cached balance that is not the sum of the journal: x, y (2)". */
export const tellViolation = ({ invariant, what, ids, count }: Violation) =>
  `(${invariant}) ${what}: ${ids.join(', ')} (${count})`;
