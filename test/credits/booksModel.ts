import fc from 'fast-check';

// What the books must say, told without any of their code: a member, two guests, their purses, a plan, and their runs.

const HOUR = 3_600_000;
export const START = 1_800_000_000_000;
export const WINDOWS = [
  { name: '5 hours', hours: 5, limitMicro: 60 },
  { name: '7 days', hours: 168, limitMicro: 150 },
];
const PERIOD_HOURS = 200;
const GRACE_HOURS = 24;

/** What the three have in the beginning, promotional. */
export const GIFTS: readonly number[] = [15, 30, 30];

/** 0 is the member, the others are guests. */
export type Who = 0 | 1 | 2;

export type Step =
  | { do: 'grant' | 'reset' | 'hold'; who: Who; micro: number }
  | { do: 'buy'; micro: number }
  /** So many cents of a payment have gone back in all. */
  | { do: 'money back'; payment: number; cents: number }
  | { do: 'dispute'; payment: number; nth: number; cents: number; isWon: boolean }
  | { do: 'settle' | 'void'; run: number; micro: number }
  | { do: 'refund'; run: number }
  | { do: 'wait'; hours: number }
  | { do: 'start' | 'renew' | 'cancel' | 'resume' | 'end' }
  | { do: 'merge'; who: Who }
  /** The server dies before the step is committed. */
  | { do: 'crash'; step: Exclude<Step, { do: 'crash' | 'wait' }> };

const micro = fc.integer({ min: 1, max: 40 });
const who = fc.constantFrom<Who[]>(0, 0, 0, 1, 2);
/** Of the runs, or payments, that there are, counted round. */
const run = fc.nat(5);
const payment = fc.nat(1);
/** What every payment is, in cents. */
export const PAID_CENTS = 100;
const move = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant('grant' as const), who, micro }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), who, micro }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('buy' as const), micro }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('money back' as const),
      payment,
      cents: fc.constantFrom(1, 30, 50, 99, 100),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('dispute' as const),
      payment,
      nth: fc.nat(1),
      cents: fc.constantFrom(20, 100),
      isWon: fc.boolean(),
    }),
  },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('hold' as const), who, micro }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('settle' as const, 'settle' as const, 'void' as const),
      run,
      micro: fc.nat(60),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('refund' as const), run }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('start', 'start', 'renew', 'renew', 'cancel', 'resume', 'end' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('merge' as const), who: fc.constantFrom<Who[]>(1, 2) }) },
) as fc.Arbitrary<Exclude<Step, { do: 'crash' | 'wait' }>>;
const hours = fc.constantFrom(1, 1, 4, 5, 6, 23, 24, 162, 168, 200);
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: move },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), hours }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), step: move }) },
  ),
  { minLength: 5, maxLength: 17, size: 'max' },
);

/** Shares of plan, promotional and purchased credits. */
type Shares = [plan: number, promotional: number, purchased: number];
const sum = (shares: Shares) => shares[0] + shares[1] + shares[2];

/** At most `amount`, from the first on. */
function take(amount: number, has: Shares): Shares {
  const first = Math.min(amount, has[0]);
  const second = Math.min(amount - first, has[1]);
  return [first, second, Math.min(amount - first - second, has[2])];
}

interface Run {
  who: Who;
  held: Shares;
  paid: Shares;
  state: 'open' | 'charged' | 'free' | 'refunded';
  at: number;
}

interface Payment {
  credits: number;
  refundedCents: number;
  disputes: Map<number, { cents: number; isOpen: boolean }>;
  /** Credits of it that are taken back, or owed. */
  back: number;
}

/** False: it was known that so much, or more, went back. */
function refund(known: Payment, cents: number): boolean {
  if (cents <= known.refundedCents) return false;
  known.refundedCents = cents;
  return true;
}

/** A dispute is lost or open until it is won; what is told after that is old. */
function dispute(known: Payment, { nth, cents, isWon }: { nth: number; cents: number; isWon: boolean }): boolean {
  const before = known.disputes.get(nth);
  if (before && (!before.isOpen || !isWon)) return false;
  known.disputes.set(nth, { cents: before?.cents ?? cents, isOpen: !isWon });
  return true;
}

export class BooksModel {
  now = START;
  owed = 0;
  readonly payments: Payment[] = [];
  readonly purses = [0, 1, 2].map((who) => ({ promotional: GIFTS[who]!, purchased: 0 }));
  readonly heirs: (Who | 'house' | null)[] = [null, null, null];
  readonly runs: Run[] = [];
  #plan: { from: number; to: number; isCancelled: boolean } | null = null;

  /** What an account sees: its own, and what it took over. */
  seen(whose: Who) {
    if (this.heirs[whose] !== null) return { promotional: 0, purchased: 0, pending: 0, used: [] as number[], owed: 0 };
    const mine = ([0, 1, 2] as Who[]).filter((one) => one === whose || (whose === 0 && this.heirs[one] !== null));
    const open = this.runs.filter((one) => one.state === 'open' && mine.includes(one.who));
    return {
      promotional: mine.reduce<number>((all, one) => all + this.purses[one]!.promotional, 0),
      purchased: mine.reduce<number>((all, one) => all + this.purses[one]!.purchased, 0),
      pending: open.reduce((all, one) => all + sum(one.held), 0),
      used: whose === 0 && this.#hasPlan() ? WINDOWS.map((window) => this.#used(window.hours)) : [],
      owed: whose === 0 ? this.owed : 0,
    };
  }

  apply(step: Step): string {
    switch (step.do) {
      case 'crash':
        return 'crashed';
      case 'wait':
        this.now += step.hours * HOUR;
        return 'waited';
      case 'grant':
        if (this.heirs[step.who] !== null) return 'closed';
        this.purses[step.who]!.promotional += step.micro;
        return 'given';
      case 'reset':
        return this.#reset(step.who, step.micro);
      case 'buy':
        this.payments.push({ credits: step.micro, refundedCents: 0, disputes: new Map(), back: 0 });
        this.#comeIn(step.micro);
        return 'given';
      case 'money back':
      case 'dispute': {
        const known = this.payments[step.payment % this.payments.length];
        if (!known) return 'none';
        const isNews = step.do === 'dispute' ? dispute(known, step) : refund(known, step.cents);
        if (isNews) this.#settlePayment(known);
        return isNews ? 'done' : 'nothing';
      }
      case 'hold':
        return this.#hold(step.who, step.micro);
      case 'settle':
      case 'void':
      case 'refund': {
        const known = this.runs[step.run % this.runs.length];
        if (!known) return 'none';
        return step.do === 'refund' ? this.#refund(known) : this.#resolve(known, step.do, step.micro);
      }
      case 'merge':
        return this.#merge(step.who);
      default:
        return this.#changePlan(step.do);
    }
  }

  /** What a purse has is free: what is held was taken out of it. */
  #reset(whose: Who, most: number): string {
    if (this.heirs[whose] !== null) return 'closed';
    const taken = Math.min(most, this.purses[whose]!.promotional);
    this.purses[whose]!.promotional -= taken;
    return taken === 0 ? 'nothing_free' : `taken ${taken}`;
  }

  /** Who owes has no bought credits to spend: what gets free of them pays first. */
  #repay(whose: Who): void {
    if (whose !== 0) return;
    const repaid = Math.min(this.owed, this.purses[0]!.purchased);
    this.owed -= repaid;
    this.purses[0]!.purchased -= repaid;
  }

  /** Credits for money: what is owed comes first. */
  #comeIn(credits: number): void {
    const repaid = Math.min(this.owed, credits);
    this.owed -= repaid;
    this.purses[0]!.purchased += credits - repaid;
  }

  #settlePayment(known: Payment): void {
    const open = [...known.disputes.values()].filter(({ isOpen }) => isOpen);
    const cents = Math.min(PAID_CENTS, known.refundedCents + open.reduce((all, one) => all + one.cents, 0));
    const more = Math.floor((known.credits * cents) / PAID_CENTS) - known.back;
    known.back += more;
    if (more < 0) this.#comeIn(-more);
    else {
      const taken = Math.min(more, this.purses[0]!.purchased);
      this.purses[0]!.purchased -= taken;
      this.owed += more - taken;
    }
  }

  #hold(whose: Who, amount: number): string {
    if (this.heirs[whose] !== null) return 'closed';
    const { promotional, purchased } = this.purses[whose]!;
    const held = take(amount, [whose === 0 ? this.#room() : 0, promotional, purchased]);
    if (sum(held) < amount) return 'insufficient';
    this.#add(whose, held, -1);
    this.runs.push({ who: whose, held, paid: [0, 0, 0], state: 'open', at: this.now });
    return 'held';
  }

  #resolve(known: Run, how: 'settle' | 'void', cost: number): string {
    if (known.state !== 'open') return 'resolved_before';
    this.#add(known.who, known.held, 1);
    known.state = how === 'void' ? 'free' : 'charged';
    if (how === 'settle') {
      known.paid = take(cost, known.held);
      this.#add(known.who, known.paid, -1);
      // What lies beyond the hold is taken from one purse that has all of it, or from none.
      const beyond = cost - sum(known.paid);
      const purse = this.purses[known.who]!;
      const from = purse.promotional >= beyond ? 1 : purse.purchased >= beyond ? 2 : 0;
      if (beyond > 0 && from > 0) {
        known.paid[from] += beyond;
        this.#add(known.who, from === 1 ? [0, beyond, 0] : [0, 0, beyond], -1);
      }
    }
    this.#passOn(known.who);
    this.#repay(known.who);
    return how === 'void' ? 'voided' : `posted ${sum(known.paid)}`;
  }

  #refund(known: Run): string {
    if (known.state === 'refunded') return 'refunded_before';
    if (known.state !== 'charged' || sum(known.paid) === 0) return 'nothing_charged';
    this.#add(known.who, known.paid, 1);
    known.state = 'refunded';
    this.#passOn(known.who);
    this.#repay(known.who);
    return `refund ${sum(known.paid)}`;
  }

  #merge(guest: Who): string {
    if (this.heirs[guest] !== null) return 'merged 0';
    const isFirst = !this.heirs.includes(0);
    this.heirs[guest] = isFirst ? 0 : 'house';
    const moved = this.#passOn(guest);
    return `merged ${isFirst ? moved : 0}`;
  }

  /** What is free of a guest that was taken over goes to the member, or is the house's again. */
  #passOn(whose: Who): number {
    const heir = this.heirs[whose];
    if (heir === null || heir === undefined) return 0;
    const { promotional } = this.purses[whose]!;
    this.purses[whose]!.promotional = 0;
    if (heir !== 'house') this.purses[heir]!.promotional += promotional;
    return promotional;
  }

  /** A plan is paid for at the payment service, and whatever becomes of it there is told from there. */
  #changePlan(what: 'start' | 'renew' | 'cancel' | 'resume' | 'end'): string {
    if (what === 'start') {
      if (this.#hasPlan()) return 'surplus';
      this.#plan = { ...this.newPeriod, isCancelled: false };
      return 'done';
    }
    const plan = this.#plan;
    if (!plan) return 'none';
    if (what === 'renew') plan.to += PERIOD_HOURS * HOUR;
    else if (what === 'end') this.#plan = null;
    else plan.isCancelled = what === 'cancel';
    return 'done';
  }

  get newPeriod(): { from: number; to: number } {
    return { from: this.now, to: this.now + PERIOD_HOURS * HOUR };
  }

  /** How far a renewal reaches that is told now. */
  get nextPeriod(): { from: number; to: number } {
    const from = this.#plan?.to ?? this.now;
    return { from, to: from + PERIOD_HOURS * HOUR };
  }

  #hasPlan(): boolean {
    const plan = this.#plan;
    return plan !== null && this.now < plan.to + (plan.isCancelled ? 0 : GRACE_HOURS * HOUR);
  }

  #room(): number {
    if (!this.#hasPlan()) return 0;
    return Math.max(0, Math.min(...WINDOWS.map((window) => window.limitMicro - this.#used(window.hours))));
  }

  #used(within: number): number {
    const counted = this.runs.filter((one) => one.who === 0 && one.at > this.now - within * HOUR);
    return counted.reduce(
      (all, one) => all + (one.state === 'open' ? one.held[0] : one.state === 'charged' ? one.paid[0] : 0),
      0,
    );
  }

  #add(whose: Who, [, promotional, purchased]: Shares, sign: 1 | -1): void {
    this.purses[whose]!.promotional += sign * promotional;
    this.purses[whose]!.purchased += sign * purchased;
  }
}
