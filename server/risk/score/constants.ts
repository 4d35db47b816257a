// Every number of the judgement, with its reason. Curves and thresholds were chosen on small runs of set A of the
// simulator (`npm run sim`, docs/risk.md) and tried on set B; the others come from the policy or are arithmetic.

/** Of how values become evidence. Stands in each judgement and dossier. */
export const RULES_VERSION = 2;
/** Of the thresholds. */
export const THRESHOLD_VERSION = 2;

export type FamilyOfSignals = 'P' | 'T' | 'I' | 'X';

/** A curve of straight lines through these points, and level beyond its ends: value → nats. */
export type Curve = readonly (readonly [value: number, nats: number])[];

interface SignalRules {
  name: string;
  family: FamilyOfSignals;
  /** Nats: at most this much for it; for X at most this much against it. */
  cap: number;
  /**
   * Signals of a group have one cause, and the strongest counts alone. `work`: much of it, as one heavy user with many
   * agents has too. `clients`: which installations work on what.
   */
  group: string;
  curve: Curve;
}

const signal = (name: string, family: FamilyOfSignals, cap: number, group: string, curve: Curve): SignalRules => ({
  name,
  family,
  cap,
  group,
  curve,
});

export const SIGNALS = {
  // Value: projects that somebody comes back to, less what a heavy user has by then (`HEAVY_PROJECTS`).
  1: signal('independent projects', 'P', 4, 'work', [
    [0, 0],
    [4, 1],
    [8, 2],
    [20, 4],
  ]),
  // Value: nats from turns near each other and from projects at once, see `evidence.ts`.
  2: signal('turns of several authors', 'P', 4, 'work', [
    [0, 0],
    [4, 4],
  ]),
  // Value: whole quiet hours of the middle day. Who sleeps 6 hours leaves 5 whole ones at least, and rarely writes just
  // before and after.
  3: signal('no quiet hours', 'P', 3, 'hours', [
    [1, 3],
    [3, 2.5],
    [4, 1.5],
    [5, 1],
    [6, 0],
  ]),
  // Value: main languages of projects that share nothing. Two are common, three happen.
  4: signal('languages', 'P', 2, 'languages', [
    [2, 0],
    [3, 1],
    [4, 2],
  ]),
  // Value: groups of clients and projects that share nothing, two at most of one kind of machine. A work laptop and a private PC are
  // two. RISK starts with a cap of 2; set A needs 4, because nothing else is as strong in the first day.
  5: signal('disconnected clients', 'P', 4, 'clients', [
    [3, 0],
    [4, 1],
    [6, 3.5],
    [7, 4],
  ]),
  // Value: projects in half an hour, in the tenth part of the turns with most of them.
  6: signal('independent conversations', 'P', 1, 'work', [
    [8, 0],
    [15, 1],
  ]),
  // Value: requests on connections that had carried another client of this account.
  7: signal('one connection, several clients', 'T', 4, 'library', [
    [2, 0],
    [20, 2],
    [100, 4],
  ]),
  // Value: share of requests with forwarding headers. Alone below 2: a company's TLS inspection adds them, too.
  8: signal('forwarding headers', 'T', 2, 'forwarding', [
    [0.1, 0],
    [0.5, 1],
    [1, 1.5],
  ]),
  // Value: share of requests that another library wrote than the claimed client uses.
  9: signal('another library', 'T', 2, 'library', [
    [0.05, 0],
    [0.5, 2],
  ]),
  // Value: share of requests from hosting networks. Codespaces, CI and VPNs are hosting, too.
  10: signal('hosting network', 'T', 0.5, 'forwarding', [
    [0.5, 0],
    [1, 0.5],
  ]),
  // Value: requests with claims that exclude each other.
  11: signal('contradicting claims', 'I', 4, 'claims', [
    [3, 0],
    [20, 2],
    [200, 4],
  ]),
  // Value: share of requests whose client calls itself a relay.
  12: signal('names itself a relay', 'I', 2, 'relay', [
    [0.05, 0],
    [0.5, 2],
  ]),
  // Value: devices of the account whose id other accounts have, too.
  13: signal('a device of several accounts', 'I', 1, 'device', [
    [0, 0],
    [2, 1],
  ]),
  // Value: share of a person's turns with the proof of an install key.
  14: signal('proofs of an installation', 'X', 4, 'proofs', [
    [0.1, 0],
    [0.9, -4],
  ]),
  // Value: share of projects that were seen from two clients or more.
  15: signal('projects on several clients', 'X', 2, 'connected', [
    [0.3, 0],
    [1, -2],
  ]),
  // Value: 1 if the account has said that it uses a gateway of its own, CI or several machines.
  16: signal('declared', 'X', 3, 'declared', [
    [0, 0],
    [1, -3],
  ]),
} as const satisfies Record<number, SignalRules>;
export type SignalNumber = keyof typeof SIGNALS;

/** Nats that a family counts for at most (RISK). */
export const FAMILY_CAP = 8;
export const COUNTER_CAP = -8;

/** Projects that a heavy user comes back to, by days of observation: value at 1, 3, 7 days and after. */
export const HEAVY_PROJECTS: Curve = [
  [1, 7],
  [3, 11],
  [7, 16],
  [14, 18],
];

/**
 * Of one author's turns in other work, the share within `NEAR_S` among those within `NEAR_S` or `MIDDLE_S`. Authors who
 * know nothing of each other write as often in each second: 5 of 65 seconds, 0.077, and more the more they are. One
 * author hardly ever does: 0.02 in set A, 0.057 in set B's heaviest, who queues prompts. Assumed, above both.
 */
export const NEAR_OF_ONE_AUTHOR = 0.06;
/** Nats of the likelihood ratio → nats that count. Somebody who dictates or pastes can be as fast as two. */
export const NEAR_COUNTS: Curve = [
  [1, 0],
  [4, 1.5],
];
/** Projects in half an hour, in the last tenth of the turns: the heaviest of set B have 11. */
export const SPREAD_OF_ONE_AUTHOR: Curve = [
  [12, 0],
  [16, 2],
];

/** Groups of clients in half an hour, likewise: one person is at two or three machines. */
export const CROWD_OF_ONE_AUTHOR: Curve = [
  [4, 0],
  [5, 1.5],
  [7, 3],
];

/** A share of fewer turns near others says nothing, however high: one text that went to two windows makes two. */
export const LEAST_HITS = 5;
/** A share of fewer requests says nothing. */
export const LEAST_REQUESTS = 20;
/** Turns in one language before a project has a main language, and the share that makes it so. */
export const LANGUAGE_TURNS = 5;
export const LANGUAGE_SHARE = 0.6;
/** Turns of a client in a project before the two count as connected. */
export const CLIENT_TURNS = 2;

/**
 * What the quiet hours of so many days count, of what those of 5 days do (RISK, signal 3: at least 5 days). Assumed: one
 * night in which somebody does not sleep is rare, several in a row hardly happen.
 */
export const DAYS_COUNT: Curve = [
  [1, 0.8],
  [4, 1],
];

/**
 * Accounts that share a device id. A second one is a private account on the same machine; many are a cloned image or a
 * constant of a tool (RISK, signal 13).
 */
export const SHARED_DEVICE = { least: 3, most: 20 } as const;

/** Hours after the first observation at which an account is judged; after the last one daily (RISK). */
export const JUDGED_AT_HOURS = [6, 12, 24] as const;

export const THRESHOLDS = {
  /**
   * Nats in all, in the first day and later: three of several people, two that corroborate, and one or two more.
   * Chosen on small runs of set A.
   */
  firstDay: 7,
  later: 6,
  /**
   * Nats of family P, from so many of its causes with at least `leastOfGroup` each (RISK: from two P signals).
   * Chosen on small runs of set A.
   */
  persons: 3,
  groups: 2,
  leastOfGroup: 1,
  /** Nats of T or I: no family flags alone (RISK). */
  corroboration: 2,
  /** Nats of P without any corroboration, for the list "not enough to act on". */
  notEnough: 6,
} as const;

/** Several people for so long without corroboration: "not enough to act on" (RISK). */
export const NOT_ENOUGH_DAYS = 7;

/** Contradictions are told to the user after so many requests, on so many days, of two kinds (RISK). */
export const ADVICE = { requests: 20, days: 2, kinds: 2 } as const;

/**
 * Log-odds of sharing from all nats: offset and slope, for one account in 100 that shares. Set by hand, not fitted; the
 * simulator measures how far it is off (docs/risk.md, "calibration").
 */
export const CALIBRATION = { offset: -9, slope: 1.2 } as const;
