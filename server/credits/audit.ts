import { sql } from 'kysely';
import type { Database, Reader } from '../platform/db/database.ts';
import { paymentChecks } from './auditPayments.ts';

/** A broken invariant: its letter in the accounting rules, what was found, and where: ids alone, of at most five of `count`. */
export interface Violation {
  invariant: Check['invariant'];
  what: string;
  ids: string[];
  count: number;
}

export interface Check {
  /** (h) is here as far as the books know of it; the model service's own bill is outside. */
  invariant: 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j';
  what: string;
  /** Rows that should not be; each has an `id`. */
  rows: ReturnType<typeof sql<{ id: string }>>;
}

const SHOWN = 5;

/**
 * Proves the books: an empty answer means that every invariant holds. Safe on a live database, for each check is one
 * statement, which sees one state of it. `now` judges leases; `graceMs` is the recovery's delay.
 */
export async function audit(db: Reader, now: number, graceMs: number): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const { invariant, what, rows } of checks(now - graceMs)) {
    const bad = (await rows.execute(db)).rows;
    if (bad.length > 0)
      found.push({ invariant, what, ids: bad.slice(0, SHOWN).map(({ id }) => id), count: bad.length });
    // An embedded database reads on the server's own thread: between two checks others have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return found;
}

/** The same of a whole database that others write to: on PostgreSQL, all checks see one state. */
export function auditLive(db: Database, now: number, graceMs: number): Promise<Violation[]> {
  // SQLite's reader is one connection, which a transaction would keep from everybody until the last check.
  if (db.engine === 'sqlite') return audit(db.read, now, graceMs);
  return db.read
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      // For the joins of whole tables, which otherwise go by way of the disk; of this transaction alone.
      await sql`set local work_mem = '128MB'`.execute(tx);
      return audit(tx, now, graceMs);
    });
}

/** "(b) a cached balance that is not the sum of the journal: x, y (2)". */
export const tellViolation = ({ invariant, what, ids, count }: Violation) =>
  `(${invariant}) ${what}: ${ids.join(', ')} (${count})`;

/** What each hold was charged in all, and of that what was not beyond it. One pass, where a look-up for each would be millions. */
const CHARGES = sql`(select hold_id, sum(amount) as charged,
  sum(case when id = hold_id || ':beyond' then 0 else amount end) as within_hold
  from transfer where kind = 'charge' group by hold_id)`;

function checks(leaseLimit: number): Check[] {
  return [
    {
      // A transfer debits and credits one amount, so it sums to zero by its form; what is left to check is the form.
      invariant: 'a',
      what: 'a transfer that does not move one positive amount between two accounts',
      rows: sql`select id from transfer where amount <= 0 or debit = credit`,
    },
    {
      invariant: 'b',
      what: 'a cached balance that is not the sum of the journal',
      rows: sql`select b.ledger_id as id from balance b where b.posted <>
        coalesce((select sum(amount) from transfer t where t.credit = b.kind || ':' || b.ledger_id), 0) -
        coalesce((select sum(amount) from transfer t where t.debit = b.kind || ':' || b.ledger_id), 0)`,
    },
    {
      invariant: 'b',
      what: 'cached pending that is not the sum of the open holds',
      rows: sql`select b.ledger_id as id from balance b where b.pending <> coalesce((select
        sum(case when b.kind = 'promotional' then h.promotional else h.purchased end) from hold h
        where h.ledger_id = b.ledger_id and h.state = 'pending'), 0)`,
    },
    {
      invariant: 'b',
      what: 'a use of a plan that is not what its hold holds or was charged',
      rows: sql`select h.id from hold h left join plan_use p on p.hold_id = h.id
        where (h.plan > 0) <> (p.hold_id is not null) or (p.hold_id is not null and (p.ledger_id <> h.ledger_id
        or p.at <> h.created_at or p.amount <> case h.state when 'pending' then h.plan else coalesce((select
          sum(case when t.debit = 'house:plan' then t.amount else -t.amount end) from transfer t
          where t.hold_id = h.id and 'house:plan' in (t.debit, t.credit)), 0) end))`,
    },
    {
      invariant: 'c',
      what: 'a balance below zero',
      rows: sql`select ledger_id as id from balance where pending < 0 or posted - pending < 0`,
    },
    {
      invariant: 'd',
      what: 'a hold that is open though its run has ended or lost its lease',
      rows: sql`select h.id from hold h left join run r on r.id = h.run_id where h.state = 'pending'
        and (r.id is null or r.state <> 'running' or r.lease_until < ${leaseLimit})`,
    },
    {
      invariant: 'd',
      what: 'a voided hold that was charged',
      rows: sql`select h.id from hold h where h.state <> 'posted' and exists
        (select 1 from transfer t where t.hold_id = h.id and t.kind = 'charge')`,
    },
    {
      invariant: 'e',
      what: 'a hold charged beyond its amount, or otherwise than the journal says',
      rows: sql`select h.id from hold h left join ${CHARGES} c on c.hold_id = h.id
        where h.posted_amount > h.amount or h.posted_amount <> coalesce(c.within_hold, 0)`,
    },
    {
      invariant: 'e',
      what: 'a hold of which more came back to a fund than it gave',
      rows: sql`select r.hold_id as id from transfer r where r.kind = 'refund' group by r.hold_id, r.credit
        having sum(r.amount) > coalesce((select sum(c.amount) from transfer c
          where c.hold_id = r.hold_id and c.kind = 'charge' and c.debit = r.credit), 0)`,
    },
    {
      invariant: 'f',
      what: 'an ended run without exactly one line in the token log, or with one that says otherwise',
      rows: sql`select h.run_id as id from hold h left join ${CHARGES} c on c.hold_id = h.id
        left join log_entry l on l.run_id = h.run_id and l.kind in ('charge', 'not_charged')
        where h.state <> 'pending' and (l.id is null
        or (h.state = 'posted') <> (l.kind = 'charge') or (l.kind = 'not_charged' and l.reason_code is null)
        or (l.kind = 'charge' and -l.amount <> coalesce(c.charged, 0)))`,
    },
    {
      invariant: 'f',
      what: 'a run that has ended without a resolved hold',
      rows: sql`select r.id from run r left join hold h on h.run_id = r.id
        where h.id is null or (r.state = 'running') <> (h.state = 'pending')`,
    },
    {
      invariant: 'f',
      what: 'a refund without its one line in the token log, or with one that says otherwise or not why',
      rows: sql`select h.run_id as id from hold h left join log_entry l on l.run_id = h.run_id and l.kind = 'refund'
        left join (select hold_id, sum(amount) as amount from transfer where kind = 'refund' group by hold_id) t
        on t.hold_id = h.id where coalesce(l.amount, 0) <> coalesce(t.amount, 0)
        or (l.id is not null and (l.id <> 'refund:' || h.run_id or l.reason_code is null))`,
    },
    {
      invariant: 'f',
      what: 'an answer that says it was charged otherwise than the journal has it',
      rows: sql`select m.id from message m join hold h on h.run_id = m.run_id where m.role = 'assistant'
        and h.state <> 'pending' and m.charged <> coalesce((select sum(case t.kind when 'charge' then t.amount
          when 'refund' then -t.amount else 0 end) from transfer t where t.hold_id = h.id), 0)`,
    },
    {
      invariant: 'g',
      what: 'a refund of no hold, or not by the account that pays refunds',
      rows: sql`select id from transfer where (kind = 'refund') <> (debit = 'house:refunds')
        or (kind = 'refund' and hold_id is null)`,
    },
    {
      invariant: 'g',
      what: 'a use of a plan that no hold has set aside',
      rows: sql`select t.id from transfer t left join hold h on h.id = t.hold_id where t.debit = 'house:plan'
        and (t.kind <> 'charge' or h.id is null or t.amount > h.plan)`,
    },
    {
      invariant: 'g',
      what: 'credits that came from neither a payment nor a promotion',
      rows: sql`select id from transfer where kind <> 'move' and (
        (credit like 'promotional:%' and debit not in ('house:grants', 'house:refunds'))
        or (credit like 'purchased:%' and debit not in ('house:payments', 'house:refunds')))`,
    },
    {
      invariant: 'g',
      what: 'credits taken back to where promotions come from, otherwise than by a reset of promotional credits',
      rows: sql`select id from transfer where kind <> 'move' and ((kind = 'reset') <> (credit = 'house:grants')
        or (kind = 'reset' and (debit not like 'promotional:%' or hold_id is not null)))`,
    },
    {
      invariant: 'f',
      what: 'a reset without its line in the token log, or with one that says otherwise or not why',
      rows: sql`select t.id from transfer t left join log_entry l on l.id = t.id and l.kind = 'reset'
        where t.kind = 'reset' and (l.id is null or l.amount <> -t.amount or l.reason = ''
        or t.debit <> 'promotional:' || l.ledger_id)`,
    },
    {
      invariant: 'g',
      what: 'credits that moved otherwise than from a guest to its heir, of the same fund',
      rows: sql`select t.id from transfer t left join (select kind || ':' || ledger_id as account,
          case heir when 'house' then 'house:grants' else kind || ':' || heir end as heir from balance
          where heir is not null) b on b.account = t.debit
        where t.kind = 'move' and (b.heir is null or t.credit <> b.heir)`,
    },
    {
      invariant: 'g',
      what: 'credits that are free at a guest that was taken over',
      rows: sql`select ledger_id as id from balance where heir is not null and posted <> pending`,
    },
    ...paymentChecks(),
    {
      invariant: 'h',
      what: 'a line of the token log with a usage that can not be',
      rows: sql`select id from log_entry where input_tokens < 0 or output_tokens < 0 or cached_input_tokens < 0
        or cached_input_tokens > input_tokens or (kind in ('charge', 'not_charged') and (input_tokens is null
        or cached_input_tokens is null or output_tokens is null or estimated is null))`,
    },
    {
      invariant: 'h',
      what: 'what the house took over, otherwise in the token log than in the journal',
      // From both sides, for either is short.
      rows: sql`select l.id from log_entry l left join hold h on h.run_id = l.run_id
          left join transfer t on t.hold_id = h.id and t.kind = 'absorbed'
          where l.absorbed > 0 and l.absorbed <> coalesce(t.amount, 0)
        union all select t.id from transfer t left join hold h on h.id = t.hold_id
          left join log_entry l on l.run_id = h.run_id and l.kind in ('charge', 'not_charged')
          where t.kind = 'absorbed' and t.amount <> coalesce(l.absorbed, 0)`,
    },
    {
      invariant: 'i',
      what: 'a grant or payment that counted twice',
      rows: sql`select request_id as id from transfer where kind not in ('charge', 'absorbed', 'refund', 'move')
        group by kind, request_id having count(*) > 1`,
    },
    {
      invariant: 'j',
      what: 'a ledger that the journal names and that has no balance',
      rows: sql`select t.account as id from (select debit as account from transfer union select credit from transfer) t
        where (t.account like 'promotional:%' or t.account like 'purchased:%') and t.account not in
        (select kind || ':' || ledger_id from balance)`,
    },
  ];
}
