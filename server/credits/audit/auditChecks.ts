import { sql } from 'kysely';
import { check, type Pass, pass, RARE } from './auditPass.ts';
import { paymentChecks, paymentTransfers } from './auditPayments.ts';

/** All checks. A run whose lease ended before `leaseLimit` should have ended. */
export function passes(leaseLimit: number): Pass[] {
  return [transfers(), balances(), holds(), lines(), ...rareChecks(leaseLimit), ...paymentChecks()];
}

/** Checks that need only the transfer. Ordinary charges pass all of them; a single condition skips these rows. */
function transfers(): Pass {
  const ordinary = sql`kind = 'charge' and amount > 0 and credit = 'house:revenue'
    and (debit like 'promotional:%' or debit like 'purchased:%' or debit = 'house:plan')`;
  return pass(sql`t.id`, sql`(select * from transfer where not coalesce(${ordinary}, false)) t`, [
    {
      // A transfer debits and credits one amount, so transfers always sum to zero. Only the row's form is left to
      // check.
      invariant: 'a',
      what: 'a transfer that does not move one positive amount between two accounts',
      broken: sql`amount <= 0 or debit = credit`,
    },
    {
      invariant: 'g',
      what: 'a refund of no hold, or not by the account that pays refunds',
      broken: sql`(kind = 'refund') <> (debit = 'house:refunds') or (kind = 'refund' and hold_id is null)`,
    },
    {
      invariant: 'g',
      what: 'credits that came from neither a payment nor a promotion',
      broken: sql`kind <> 'move' and (
        (credit like 'promotional:%' and debit not in ('house:grants', 'house:refunds'))
        or (credit like 'purchased:%' and debit not in ('house:payments', 'house:refunds')))`,
    },
    {
      invariant: 'g',
      what: 'credits taken back to where promotions come from, otherwise than by a reset of promotional credits',
      broken: sql`kind <> 'move' and ((kind = 'reset') <> (credit = 'house:grants')
        or (kind = 'reset' and (debit not like 'promotional:%' or hold_id is not null)))`,
    },
    {
      invariant: 'g',
      what: 'a charge that is not from a fund to the house',
      broken: sql`kind = 'charge'`,
    },
    ...paymentTransfers(),
  ]);
}

/** Compares each account's transfers with its cached balance, which counts negative: both add up to zero. */
function balances(): Pass {
  const owned = (side: 'debit' | 'credit') =>
    sql`(${sql.ref(side)} like 'promotional:%' or ${sql.ref(side)} like 'purchased:%')`;
  const sums = sql`(select account, sum(micro) as micro, max(cached) as cached from (
      select credit as account, amount as micro, 0 as cached from transfer where kind <> 'charge' and ${owned('credit')}
      union all select debit, -amount, 0 from transfer where ${owned('debit')}
      union all select kind || ':' || ledger_id, -posted, 1 from balance) e group by account) s`;
  return pass(sql`substr(account, case when account like 'promotional:%' then 13 else 11 end)`, sums, [
    {
      invariant: 'b',
      what: 'a cached balance that is not the sum of the journal',
      broken: sql`cached = 1 and micro <> 0`,
    },
    { invariant: 'j', what: 'a ledger that the journal names and that has no balance', broken: sql`cached = 0` },
  ]);
}

/** Compares each hold with its transfers, its plan use, and its line in the token log. */
function holds(): Pass {
  // Subqueries, evaluated only for the holds that need them: engines stop at the first condition that decides.
  const charged = sql`coalesce((select sum(t.amount) from transfer t where t.hold_id = h.id and t.kind = 'charge'), 0)`;
  const beyond = sql`coalesce((select b.amount from transfer b where b.id = h.id || ':beyond' and b.kind = 'charge'), 0)`;
  const ofPlan = sql`coalesce((select sum(case when u.debit = 'house:plan' then u.amount else -u.amount end)
    from transfer u where u.hold_id = h.id and 'house:plan' in (u.debit, u.credit)), 0)`;
  const from = sql`hold h left join log_entry l on l.run_id = h.run_id and l.kind in ('charge','not_charged')
    left join plan_use p on p.hold_id = h.id`;
  return pass(sql`h.id`, from, [
    {
      invariant: 'b',
      what: 'a use of a plan that is not what its hold holds or was charged',
      // It may be earlier if the clock was set back, which sets the use back, too.
      broken: sql`(h.plan > 0) <> (p.hold_id is not null) or (p.hold_id is not null and (p.ledger_id <> h.ledger_id
        or p.at > h.created_at or p.amount <> case h.state when 'pending' then h.plan else ${ofPlan} end))`,
    },
    {
      invariant: 'e',
      what: 'a hold charged beyond its amount, or otherwise than the journal says',
      broken: sql`h.posted_amount > h.amount
        or (h.posted_amount <> ${charged} and h.posted_amount <> ${charged} - ${beyond})`,
    },
    {
      invariant: 'f',
      what: 'a hold of an ended run without exactly one line in the token log, or with one that says otherwise',
      broken: sql`h.state <> 'pending' and (l.id is null
        or (h.state = 'posted') <> (l.kind = 'charge') or (l.kind = 'not_charged' and l.reason_code is null)
        or (l.kind = 'charge' and -l.amount <> h.posted_amount and -l.amount <> ${charged}))`,
    },
  ]);
}

/** Checks that need only the line of the token log. */
function lines(): Pass {
  return pass(sql`l.id`, sql`log_entry l`, [
    {
      invariant: 'h',
      what: 'a line of the token log with a usage that can not be',
      broken: sql`input_tokens < 0 or output_tokens < 0 or cached_input_tokens < 0
        or cached_input_tokens > input_tokens or (kind in ('charge', 'not_charged') and (input_tokens is null
        or cached_input_tokens is null or output_tokens is null or estimated is null))`,
    },
  ]);
}

function rareChecks(leaseLimit: number): Pass[] {
  return [
    check(
      'h',
      'what the house asked a model for, otherwise than the journal says',
      sql`select u.id from house_use u left join transfer t on t.id = 'house:' || u.id
          where u.cost <> coalesce(t.amount, 0) or u.input_tokens < u.cached_input_tokens or u.output_tokens < 0
            or t.kind <> 'house' or t.debit <> 'house:absorbed' or t.credit <> 'house:revenue'
        union all select t.id from transfer t left join house_use u on t.id = 'house:' || u.id
          where t.kind = 'house' and t.${RARE} and u.id is null`,
    ),
    check(
      'b',
      'cached pending that is not the sum of the open holds',
      sql`select b.ledger_id as id from balance b where b.pending <> coalesce((select
        sum(case when b.kind = 'promotional' then h.promotional else h.purchased end) from hold h
        where h.ledger_id = b.ledger_id and h.state = 'pending'), 0)`,
    ),
    check(
      'b',
      'a month of an API key, or a day of extensions, that is not the sum of its holds',
      // A charge beyond its hold is in the token log alone.
      sql`select m.key_id as id from key_month m where m.micro <> coalesce((select
        sum(case h.state when 'pending' then h.amount when 'posted' then -l.amount else 0 end) from hold h
        left join log_entry l on l.run_id = h.run_id and l.kind = 'charge'
        where h.key_id = m.key_id and h.created_at >= m.from_at and h.created_at < m.to_at), 0)`,
    ),
    check(
      'c',
      'a balance below zero',
      sql`select ledger_id as id from balance where pending < 0 or posted - pending < 0`,
    ),
    check(
      'd',
      'a hold that is open though its run has ended or lost its lease',
      sql`select h.id from hold h left join run r on r.id = h.run_id where h.state = 'pending'
        and (r.id is null or r.state <> 'running' or r.lease_until < ${leaseLimit})`,
    ),
    check(
      'd',
      'a voided hold that was charged',
      sql`select h.id from hold h where h.state <> 'posted' and exists
        (select 1 from transfer t where t.hold_id = h.id and t.kind = 'charge')`,
    ),
    check(
      'e',
      'a hold of which more came back to a fund than it gave',
      sql`select r.hold_id as id from transfer r where r.kind = 'refund' and r.${RARE} group by r.hold_id, r.credit
        having sum(r.amount) > coalesce((select sum(c.amount) from transfer c
          where c.hold_id = r.hold_id and c.kind = 'charge' and c.debit = r.credit), 0)`,
    ),
    check(
      'g',
      'a use of a plan that no hold has set aside',
      sql`select t.id from transfer t left join hold h on h.id = t.hold_id where t.debit = 'house:plan'
        and (t.kind <> 'charge' or h.id is null or t.amount > h.plan)`,
    ),
    // The reverse, an ended run with an unresolved hold, is an open hold: (d).
    check(
      'f',
      'a run that has ended without a resolved hold',
      sql`select r.id from run r where not exists (select 1 from hold h where h.run_id = r.id)
        union all select r.id from run r join hold h on h.run_id = r.id
        where r.state = 'running' and h.state <> 'pending'
        union all select r.id from hold h join run r on r.id = h.run_id
        where h.state = 'pending' and r.state <> 'running'`,
    ),
    check(
      'g',
      'a transfer of a hold that is not there',
      sql`select t.hold_id as id from transfer t where t.hold_id is not null
      and not exists (select 1 from hold h where h.id = t.hold_id)`,
    ),
    check(
      'f',
      'a refund without its one line in the token log, or with one that says otherwise or not why',
      // Both tables have few such rows, so compare in both directions.
      sql`select t.hold_id as id from (select hold_id, sum(amount) as amount from transfer
          where kind = 'refund' and ${RARE} group by hold_id) t left join hold h on h.id = t.hold_id
        left join log_entry l on l.id = 'refund:' || h.run_id and l.kind = 'refund'
        where l.id is null or l.amount <> t.amount
        union all select l.id from log_entry l left join hold h on h.run_id = l.run_id
        where l.kind = 'refund' and l.${RARE} and (h.id is null or l.id <> 'refund:' || h.run_id
          or l.reason_code is null or not exists (select 1 from transfer t where t.hold_id = h.id and t.kind = 'refund'))`,
    ),
    check(
      'f',
      'a reset without its line in the token log, or with one that says otherwise or not why',
      sql`select t.id from transfer t left join log_entry l on l.id = t.id and l.kind = 'reset'
        where t.kind = 'reset' and t.${RARE} and (l.id is null or l.amount <> -t.amount or l.reason = ''
        or t.debit <> 'promotional:' || l.ledger_id)`,
    ),
    check(
      'f',
      'an answer that says it was charged otherwise than the journal has it',
      sql`select m.id from message m join hold h on h.run_id = m.run_id where m.role = 'assistant'
        and h.state <> 'pending' and m.charged <> coalesce((select sum(case t.kind when 'charge' then t.amount
          when 'refund' then -t.amount else 0 end) from transfer t where t.hold_id = h.id), 0)`,
    ),
    check(
      'g',
      'credits that moved otherwise than from a guest to its heir, of the same fund',
      sql`select t.id from transfer t left join (select kind || ':' || ledger_id as account,
          case heir when 'house' then 'house:grants' else kind || ':' || heir end as heir from balance
          where heir is not null) b on b.account = t.debit
        where t.kind = 'move' and t.${RARE} and (b.heir is null or t.credit <> b.heir)`,
    ),
    check(
      'g',
      'credits that are free at a guest that was taken over',
      sql`select ledger_id as id from balance where heir is not null and posted <> pending`,
    ),
    check(
      'h',
      'what the house took over, otherwise in the token log than in the journal',
      // Both tables have few such rows, so compare in both directions.
      sql`select l.id from log_entry l left join hold h on h.run_id = l.run_id
          left join transfer t on t.hold_id = h.id and t.kind = 'absorbed'
          where l.absorbed > 0 and l.absorbed <> coalesce(t.amount, 0)
        union all select t.id from transfer t left join hold h on h.id = t.hold_id
          left join log_entry l on l.run_id = h.run_id and l.kind in ('charge', 'not_charged')
          where t.kind = 'absorbed' and t.${RARE} and t.amount <> coalesce(l.absorbed, 0)`,
    ),
    check(
      'i',
      'a grant or payment that counted twice',
      sql`select request_id as id from transfer where ${RARE} and kind not in ('absorbed', 'refund', 'move')
        group by kind, request_id having count(*) > 1`,
    ),
  ];
}
