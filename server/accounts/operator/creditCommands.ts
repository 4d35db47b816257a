import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';
import { inCredits } from '../../../shared/money/amounts.ts';
import { type Given, giveOnce, MOST_PROMOTIONAL_MICRO, takeBack } from '../../credits/holds/promotions.ts';
import { endGivenPlan, givePlan } from '../../credits/plans/givenPlans.ts';
import { type Clock, type Ids, iso } from '../../platform/clock.ts';
import type { Policy } from '../../platform/config/config.ts';
import { type Database, isUnavailable } from '../../platform/db/database.ts';
import type { FoundAccount } from '../people/accountSearch.ts';
import { misused, named, Refused } from './commandText.ts';

// The operator's commands that give credits and plans, and take them back.

interface Deps {
  db: Database;
  clock: Clock;
  ids: Ids;
}

const MOST_ID_CHARS = 200;

/**
 * Parses a decimal number of credits with at most 6 places into micro-credits, digit by digit, so that nothing is
 * rounded.
 */
export function readCredits(text: string): number {
  if (/^[-−]\s*[\d.]/.test(text)) throw misused(`"${text}" is less than nothing.`);
  const [, whole, places = ''] = /^(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) throw misused(`"${text}" is no number of credits, such as 20 or 12.5.`);
  if (places.length > 6)
    throw misused(`"${text}" has more than 6 decimals, and there is no less than 0.000001 credits.`);
  const micro = Number(whole) * MICRO_PER_CREDIT + Number(places.padEnd(6, '0'));
  if (micro > MOST_PROMOTIONAL_MICRO)
    throw misused(`${text} credits are more than ${inCredits(MOST_PROMOTIONAL_MICRO)}.`);
  if (micro === 0) throw misused(`${text} credits are nothing.`);
  return micro;
}

export function readGrantId(text: string): string {
  const id = text.trim();
  if (id === '' || id.length > MOST_ID_CHARS) throw misused(`An --id has 1 to ${MOST_ID_CHARS} characters.`);
  return id;
}

/** Gives promotional credits, once for each `id`; without an id, every time. Returns the output line. */
export async function grantCredits(
  { db, clock, ids }: Deps,
  account: FoundAccount,
  { amountMicro, why, id }: { amountMicro: number; why: string; id: string | undefined },
): Promise<string> {
  const gift = { accountId: account.id, amountMicro, key: id ?? ids.next(), reason: why };
  const given = orTell(giveOnce(db, gift, clock.now()), `Repeat it with --id ${gift.key}: then it gives them once.`);
  return tellGiven(await given, account, amountMicro, id);
}

/** A connection that breaks in the commit tells nobody whether it took place. `then` says how to go on. */
async function orTell<T>(stored: Promise<T>, then: string): Promise<T> {
  return stored.catch((error) => {
    if (!isUnavailable(error)) throw error;
    throw new Refused(1, `The connection to the database broke, so this may have been stored or not. ${then}`);
  });
}

function tellGiven(given: Given, account: FoundAccount, amountMicro: number, id = ''): string {
  const who = named(account);
  switch (given.kind) {
    case 'given':
      return `${who} has ${inCredits(amountMicro)} more.`;
    case 'given_before':
      return `${who} got ${inCredits(amountMicro)} by this id on ${iso(given.at)}: nothing more was given.`;
    case 'id_taken':
      throw new Refused(
        1,
        `${tellTaken(given, id, amountMicro)} Nothing was given. For another grant, use another --id.`,
      );
    case 'too_much':
      throw new Refused(
        1,
        `${who} has ${inCredits(given.promotionalMicro)} of the promotional kind already, and can have at most ${inCredits(MOST_PROMOTIONAL_MICRO)}.`,
      );
    case 'closed':
      throw gone(who);
  }
}

function tellTaken({ by, ...before }: Extract<Given, { kind: 'id_taken' }>, id: string, amountMicro: number): string {
  const earlier = `The id "${id}" gave ${inCredits(before.amountMicro)} on ${iso(before.at)}`;
  if (by === 'another_amount') return `${earlier}, not ${inCredits(amountMicro)}.`;
  return by === 'another_account' ? `${earlier} to another account.` : `${earlier} for another reason.`;
}

/** Takes back promotional credits: all that are not on hold, or at most the given amount. Returns the output line. */
export async function resetCredits(
  { db, clock, ids }: Deps,
  account: FoundAccount,
  { mostMicro, why }: { mostMicro: number | null; why: string },
): Promise<string> {
  const back = { accountId: account.id, mostMicro, id: ids.next(), reason: why, at: clock.now() };
  const who = named(account);
  const look = `Before you repeat it, look at the credits of ${who}.`;
  const reset = await orTell(
    db.write((tx) => takeBack(tx, back)),
    look,
  );
  if (reset.kind === 'closed') throw gone(who);
  const held = reset.heldMicro > 0 ? ` Running answers hold ${inCredits(reset.heldMicro)}, left alone.` : '';
  if (reset.kind === 'nothing_free') throw new Refused(1, `${who} has no promotional credits to take back.${held}`);
  const { takenMicro } = reset;
  const short = mostMicro !== null && takenMicro < mostMicro;
  const taken = short
    ? `Took ${inCredits(takenMicro)} back from ${who}, not ${inCredits(mostMicro)}: no more was free.`
    : `Took ${inCredits(takenMicro)} back from ${who}.`;
  return `${taken}${held}`;
}

/** Gives a plan from the list for free. Returns the output line. */
export async function givePlanTo(
  { db, clock, ids, policy }: Deps & { policy: Pick<Policy, 'plans'> },
  account: FoundAccount,
  { plan: wanted, until, why }: { plan: string; until: number; why: string },
): Promise<string> {
  const who = named(account);
  if (account.kind === 'guest')
    throw new Refused(1, 'A guest has no plan: its messages come from promotional credits.');
  const plan = policy.plans.find(({ id }) => id === wanted);
  if (!plan) {
    const known = policy.plans.map(({ id }) => id).join(', ');
    throw new Refused(1, `There is no plan "${wanted}". ${known ? `These are: ${known}.` : 'The file lists none.'}`);
  }
  const at = clock.now();
  const given = { accountId: account.id, id: ids.next(), plan, until, reason: why, at };
  const answer = await orTell(
    db.write((tx) => givePlan(tx, given)),
    `Repeat it with --until ${iso(until)}: then it changes nothing a second time.`,
  );
  switch (answer.kind) {
    case 'given':
      return `${who} has ${plan.name} until ${iso(until)}.`;
    case 'as_before':
      return `${who} has ${plan.name} until then already: nothing was changed.`;
    case 'paid_for':
      throw paidFor(who, answer);
    case 'closed':
      throw gone(who);
  }
}

/** Ends a plan that the operator gave. Returns the output line. */
export async function endPlanOf({ db, clock }: Deps, account: FoundAccount, why: string): Promise<string> {
  const who = named(account);
  const answer = await db.write((tx) => endGivenPlan(tx, { accountId: account.id, reason: why, at: clock.now() }));
  switch (answer.kind) {
    case 'ended':
      return `${who} has no plan any more.`;
    case 'none':
      throw new Refused(1, `${who} has no plan.`);
    case 'paid_for':
      throw paidFor(who, answer);
    case 'closed':
      throw gone(who);
  }
}

const paidFor = (who: string, { plan, until }: { plan: string; until: number }) =>
  new Refused(
    1,
    `${who} pays for a plan, ${plan}, until ${iso(until)}: nothing was changed. Its owner can end it on the account page; you can end it at the payment service.`,
  );

const gone = (who: string) =>
  new Refused(1, `The account of ${who} is gone: it was deleted, or became part of another.`);
