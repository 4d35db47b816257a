import type { Beside } from '../../../server/risk/score/evidence.ts';
import { DAY, HOUR, type Sent, type Source } from './day.ts';
import type { Carried, Route } from './route.ts';

/** One account with all that is sent on it. */
export interface Account {
  members: Member[];
  /** Before each day: what changes then (a journey, a new release). */
  onDay?: (day: number) => void;
  /** What the judge knows beside the requests. */
  beside: Beside;
  /** Accounts that send the device ids of this one, this one included. */
  accountsOfDevices: number;
}

export interface Member {
  source: Source;
  route: Route;
  /** Days after the first one on which this member begins. */
  joins: number;
}

/** A request as it arrives, and how long its answer takes, ms. */
export interface Arrival extends Carried {
  takes: number;
}

interface Underway {
  sent: Sent;
  route: Route;
  at: number;
  /** Its route has said when it leaves. */
  hasLeft: boolean;
}

const byTime = (a: { at: number }, b: { at: number }) => a.at - b.at;

/** Monday, 5 January 2026, midnight in UTC: any Monday would do. */
const EPOCH = Date.UTC(2026, 0, 5);
/** No local day begins earlier than this before that day in UTC. */
const EARLIEST = 15 * HOUR;

/** The requests of an account in the order of time, from the first day on. `firstDay` 0 is a Monday. */
export function* arrivals(account: Account, firstDay: number, days: number): Generator<Arrival> {
  const queues = account.members.some(({ route }) => route.spec.queueGapMs !== null);
  let waiting: Underway[] = [];
  for (let day = firstDay; day <= firstDay + days; day++) {
    const isLast = day === firstDay + days;
    if (!isLast) {
      account.onDay?.(day);
      for (const { source, route, joins } of account.members) {
        if (day < firstDay + joins) continue;
        for (const sent of source.day(day)) waiting.push({ sent, route, at: sent.at, hasLeft: false });
      }
    }
    waiting.sort(byTime);
    // What the next day can still precede waits; so does what a queue holds until then.
    const until = isLast ? Number.POSITIVE_INFINITY : (day + 1) * DAY - EARLIEST;
    const ready: Underway[] = [];
    const later: Underway[] = [];
    for (const one of waiting) {
      if (!one.hasLeft && one.at < until) {
        one.at = one.route.leavesAt(one.sent);
        one.hasLeft = true;
      }
      (one.at < until ? ready : later).push(one);
    }
    if (queues) ready.sort(byTime);
    for (const { sent, route, at } of ready) {
      yield { ...route.carry(sent, EPOCH + at), takes: sent.takes };
    }
    waiting = later;
  }
}
