import { sql } from 'kysely';
import { check, type Pass, type Question, RARE } from './auditPass.ts';

/** Checks about money: bought credits match verified payments, and reversed payments are taken back or owed. */
export function paymentChecks(): Pass[] {
  return [
    check(
      'g',
      'credits bought that are not those of one payment, paid',
      sql`select t.id from transfer t left join payment p on p.id = t.request_id where t.kind = 'purchase' and t.${RARE}
        and (p.id is null or p.state <> 'paid' or p.credits_micro <> t.amount or t.id <> 'purchase:' || p.id
        or t.debit <> 'house:payments' or t.credit <> 'purchased:' || p.ledger_id)`,
    ),
    check(
      'g',
      'a payment for credits that was paid and not credited, or the reverse',
      sql`select p.id from payment p left join transfer t on t.id = 'purchase:' || p.id
        where (p.state = 'paid' and p.pack is not null) <> (t.id is not null)`,
    ),
    check(
      'g',
      'credits taken back, or given back, for no refund and no dispute of this ledger’s payments',
      sql`select t.id from transfer t left join payment_reversal r on r.id = t.request_id
        left join payment p on p.id = r.payment_id where t.kind in ('reversal', 'debt', 'return', 'forgiven')
        and t.${RARE}
        and (p.id is null or t.id <> t.kind || ':' || r.id or not (p.ledger_id = case t.kind
          when 'reversal' then substr(t.debit, 11) when 'return' then substr(t.credit, 11)
          when 'debt' then substr(t.debit, 6) else substr(t.credit, 6) end))`,
    ),
    check(
      'g',
      'a payment of which more or less is taken back than went back',
      sql`select p.id from payment p
        left join (select r.payment_id, sum(case t.credit when 'house:payments' then t.amount else -t.amount end) as micro
          from transfer t join payment_reversal r on r.id = t.request_id where t.${RARE} group by r.payment_id) b on b.payment_id = p.id
        left join (select payment_id, sum(cents) as cents from payment_reversal where state = 'taken' group by payment_id) c
          on c.payment_id = p.id
        where p.reversed_micro <> coalesce(b.micro, 0) or (p.state = 'paid' and p.pack is not null and (
          (coalesce(c.cents, 0) = 0 and p.reversed_micro <> 0)
          or (coalesce(c.cents, 0) >= p.amount_cents and p.reversed_micro <> p.credits_micro)))`,
    ),
    check(
      'g',
      'one customer of the payment service for the payments of two ledgers',
      sql`select customer as id from payment where customer is not null group by customer
        having count(distinct ledger_id) > 1`,
    ),
    check(
      'b',
      'a cached debt that is not the sum of the journal',
      sql`select account as id from (
          select debit as account, amount from transfer where kind = 'debt' and ${RARE}
          union all select credit, -amount from transfer where kind in ('repayment', 'forgiven') and ${RARE}
          union all select 'debt:' || ledger_id, -owed from balance where owed <> 0) d
        group by account having sum(amount) <> 0`,
    ),
    check(
      'f',
      'a purchase without its one line in the token log, or with one that says otherwise',
      sql`select t.id from transfer t left join transfer r on r.id = 'repayment:' || t.request_id
        left join log_entry l on l.id = t.id and l.kind = 'purchase'
        where t.kind = 'purchase' and t.${RARE} and (l.id is null or l.amount <> t.amount - coalesce(r.amount, 0))`,
    ),
    check(
      'f',
      'a debt that was paid by what got free, without its line in the token log, or with one that says otherwise',
      sql`select t.id from transfer t left join transfer p on p.id = 'purchase:' || t.request_id
        left join log_entry l on l.id = t.id and l.kind = 'reversal'
        where t.kind = 'repayment' and t.${RARE} and p.id is null and (l.id is null or l.amount <> -t.amount)`,
    ),
    check(
      'f',
      'credits taken back, or given back, without their line in the token log, or with one that says otherwise',
      sql`select t.id from transfer t left join log_entry l on l.id = t.id and l.kind = 'reversal'
        where t.kind in ('reversal', 'return')
        and t.${RARE} and (l.id is null or l.amount <> case t.kind when 'return' then t.amount else -t.amount end)`,
    ),
  ];
}

/** Checks about money that need only the transfer. */
export function paymentTransfers(): Question[] {
  return [
    {
      invariant: 'g',
      what: 'money that came in or went back by no payment',
      broken: sql`(kind in ('purchase', 'return', 'forgiven')) <> (debit = 'house:payments')
        or (kind in ('reversal', 'debt')) <> (credit = 'house:payments')`,
    },
    {
      invariant: 'g',
      what: 'a debt that was made or paid otherwise than by what went back, or by bought credits',
      broken: sql`(debit like 'debt:%') <> (kind = 'debt') or (credit like 'debt:%') <> (kind in ('repayment', 'forgiven'))
        or (kind = 'repayment' and debit <> 'purchased:' || substr(credit, 6))`,
    },
  ];
}
