import { inCredits } from '../../../shared/money/amounts.ts';
import { type Clock, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import {
  addPromotion,
  endPromotion,
  isUsedUp,
  listPromotions,
  type Promotion,
  readPromotionName,
} from '../people/promotions.ts';
import { columns, misused, Refused } from './commandText.ts';

// The operator's commands for promotions.

interface Deps {
  db: Database;
  clock: Clock;
}

export interface WantedPromotion {
  audience: string;
  amountMicro: number;
  budgetMicro: number;
  startsAt: number;
  endsAt: number;
  why: string;
}

const isAudience = (text: string): text is Promotion['audience'] => text === 'signups' || text === 'members';

/** Begins a promotion, or announces a future one. Returns the output line. */
export async function beginPromotion({ db, clock }: Deps, typed: string, wanted: WantedPromotion): Promise<string> {
  const name = readName(typed);
  const { audience, amountMicro, budgetMicro, startsAt, endsAt, why } = wanted;
  if (!isAudience(audience)) throw misused(`--for is signups or members, not "${audience}".`);
  if (endsAt <= startsAt) throw misused(`The promotion would end on ${iso(endsAt)}, before it begins.`);
  if (budgetMicro < amountMicro)
    throw misused(`A budget of ${inCredits(budgetMicro)} is less than one person gets, ${inCredits(amountMicro)}.`);
  const promotion = {
    name,
    audience,
    amount: amountMicro,
    budget: budgetMicro,
    starts_at: startsAt,
    ends_at: endsAt,
    why,
    created_at: clock.now(),
  };
  if (!(await db.write((tx) => addPromotion(tx, promotion))))
    throw new Refused(1, `There is, or was, a promotion ${name}: nothing was changed. Another one needs another name.`);
  const people = Math.floor(budgetMicro / amountMicro).toLocaleString('en-US');
  const who = audience === 'signups' ? 'who signs up' : `who asks by the code ${name}`;
  return `Everybody ${who} from ${iso(startsAt)} until ${iso(endsAt)} gets ${inCredits(amountMicro)}, once: ${people} people at most.`;
}

export async function stopPromotion({ db, clock }: Deps, typed: string): Promise<string> {
  const name = readName(typed);
  const ended = await db.write((tx) => endPromotion(tx, name, clock.now()));
  if (ended.kind === 'ended') return `The promotion ${name} is over. It gave ${inCredits(ended.promotion.given)}.`;
  if (ended.kind === 'over') throw new Refused(1, `The promotion ${name} is over since ${iso(ended.endsAt)}.`);
  throw new Refused(1, `There is no promotion ${name}. "npm run admin -- promotions" lists them.`);
}

export async function promotionTable({ db, clock }: Deps): Promise<string[]> {
  const promotions = await listPromotions(db.read);
  if (promotions.length === 0) return ['There is none.'];
  const now = clock.now();
  const rows = promotions.map((promotion) => [
    promotion.name,
    promotion.audience,
    stateOf(promotion, now),
    iso(promotion.starts_at),
    iso(promotion.ends_at),
    inCredits(promotion.amount),
    String(promotion.given / promotion.amount),
    inCredits(promotion.given),
    inCredits(promotion.budget - promotion.given),
    promotion.why,
  ]);
  const head = ['promotion', 'for', 'state', 'from', 'until', 'each', 'people', 'given', 'left', 'why'];
  return columns([head, ...rows]);
}

function stateOf(promotion: Promotion, now: number): string {
  if (promotion.ends_at <= now) return 'over';
  if (isUsedUp(promotion)) return 'used up';
  return promotion.starts_at > now ? 'to come' : 'open';
}

function readName(typed: string): string {
  const name = readPromotionName(typed);
  if (name === null)
    throw misused(
      `"${typed}" is no name of a promotion: it has 3 to 40 letters, digits and hyphens, such as SPRING-2027.`,
    );
  return name;
}
