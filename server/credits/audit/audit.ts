import type { Database, Reader } from '../../platform/db/database.ts';
import { passes } from './auditChecks.ts';
import type { Invariant } from './auditPass.ts';

/** A broken invariant: its letter in the accounting rules, what was found, and where: ids alone, of at most five of `count`. */
export interface Violation {
  invariant: Invariant;
  what: string;
  ids: string[];
  count: number;
}

const SHOWN = 5;

/**
 * Proves the books, as this transaction or connection sees them: an empty answer means that every invariant holds. `now`
 * judges leases; `graceMs` is the recovery's delay.
 */
export async function audit(db: Reader, now: number, graceMs: number): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const { checks, rows } of passes(now - graceMs))
    found.push(...violations(checks, (await rows.execute(db)).rows));
  return found;
}

/** The same of a whole database that others write to: all checks see one state of it, and nobody waits for them. */
export async function auditLive(db: Database, now: number, graceMs: number): Promise<Violation[]> {
  const all = passes(now - graceMs);
  const answers = await db.readAside(all.map(({ rows }) => rows.compile(db.read)));
  return all.flatMap(({ checks }, i) => violations(checks, answers[i]!));
}

/** Rows tell which of a pass's checks they break by the bits of `broken`. */
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
