import { sql } from 'kysely';
import type { Reader } from '../platform/db/database.ts';

/** A broken invariant: its letter in the accounting rules, and what was found. */
export interface Violation {
  invariant: 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g';
  what: string;
}

interface Check {
  invariant: Violation['invariant'];
  what: string;
  /** Rows that should not be; each has an `id`. */
  rows: ReturnType<typeof sql<{ id: string }>>;
}

/**
 * Proves the books: an empty answer means that every invariant holds. Safe on a live database; on PostgreSQL call it in a
 * repeatable-read transaction if others write meanwhile. `now` judges leases; `graceMs` is the recovery's delay.
 */
export async function audit(db: Reader, now: number, graceMs: number): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const { invariant, what, rows } of checks(now - graceMs)) {
    const bad = (await rows.execute(db)).rows;
    if (bad.length > 0)
      found.push({
        invariant,
        what: `${what}: ${bad
          .slice(0, 5)
          .map((r) => r.id)
          .join(', ')} (${bad.length})`,
      });
  }
  return found;
}

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
      rows: sql`select h.id from hold h where h.posted_amount > h.amount or h.posted_amount <> coalesce((select
        sum(t.amount) from transfer t where t.hold_id = h.id and t.kind = 'charge' and t.id <> h.id || ':beyond'), 0)`,
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
      rows: sql`select h.run_id as id from hold h left join log_entry l on l.run_id = h.run_id
        and l.kind in ('charge', 'not_charged') where h.state <> 'pending' and (l.id is null
        or (h.state = 'posted') <> (l.kind = 'charge') or (l.kind = 'not_charged' and l.reason_code is null)
        or (l.kind = 'charge' and -l.amount <> coalesce((select sum(t.amount) from transfer t
            where t.hold_id = h.id and t.kind = 'charge'), 0)))`,
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
      what: 'credits that moved otherwise than from a guest to its heir, of the same fund',
      rows: sql`select t.id from transfer t where t.kind = 'move' and not exists (select 1 from balance b
        where t.debit = b.kind || ':' || b.ledger_id and b.heir is not null
        and t.credit = case b.heir when 'house' then 'house:grants' else b.kind || ':' || b.heir end)`,
    },
    {
      invariant: 'g',
      what: 'credits that are free at a guest that was taken over',
      rows: sql`select ledger_id as id from balance where heir is not null and posted <> pending`,
    },
  ];
}
