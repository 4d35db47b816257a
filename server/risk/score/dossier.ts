import type { Dossier, DossierLine } from '../../../shared/risk.ts';
import type { Contradiction } from '../signals/identities.ts';
import type { Sketch } from '../signals/sketch.ts';
import { countDays } from '../signals/time.ts';
import { NEAR_S } from '../signals/turns.ts';
import { SIGNALS, type SignalNumber, THRESHOLDS } from './constants.ts';
import { type Evidence, groupsOf } from './evidence.ts';
import { HEAVY } from './heavy.ts';
import type { Advice, Judgement } from './judge.ts';

const whole = (value = 0) => String(Math.round(value));
const percent = (share = 0) => `${Math.round(100 * share)} %`;
const iso = (atS: number) => (atS === 0 ? null : new Date(atS * 1000).toISOString());
const tenths = (value: number) => Math.round(value * 10) / 10;
/** Fine enough to be judged again, by other rules. */
const fine = (value: number) => Math.round(value * 1e4) / 1e4;

interface Words {
  sentence: (evidence: Evidence) => string;
  heavy: (value: number) => string;
  wouldClear: string;
}

/** Each signal in words. None has a path, an address or a text of a user: the sketch has none. */
const WORDS: Record<SignalNumber, Words> = {
  1: {
    sentence: ({ seen }) =>
      `Somebody comes back to ${whole(seen.projects)} projects that share no files; the heaviest single users come back to ${whole(seen.heavy)} in the same time.`,
    heavy: (value) => `${whole(Math.max(0, value))} more than that`,
    wouldClear: 'Fewer projects in work, or an explanation such as a consultant with many clients.',
  },
  2: {
    sentence: ({ seen }) =>
      `Of ${whole(seen.pairs)} turns of a person, ${whole(seen.near)} came within ${NEAR_S} seconds of a turn in other work. In the busiest half hours a person wrote in ${whole(seen.spread)} projects.`,
    heavy: (value) => `${tenths(value)} nats`,
    wouldClear:
      'Turns in different work that keep apart as one author’s do, or a script that sends them and is declared.',
  },
  3: {
    sentence: ({ value }) =>
      value === null
        ? 'There are too few days to tell when nobody writes.'
        : `On the middle day nobody wrote for ${whole(value)} hours at most.`,
    heavy: (value) => `${whole(value)} quiet hours`,
    wouldClear: 'A daily quiet time of 5 hours or more.',
  },
  4: {
    sentence: ({ value }) => `The projects have ${whole(value ?? 0)} main languages.`,
    heavy: (value) => `${whole(value)} languages`,
    wouldClear: 'A person who writes in each of these languages.',
  },
  5: {
    sentence: ({ seen }) => `Clients and projects form ${whole(seen.blocks)} groups that share nothing.`,
    heavy: (value) => `${whole(value)} groups`,
    wouldClear: 'A project that is worked on from clients of two groups.',
  },
  6: {
    sentence: ({ value }) => `In the busiest half hours, a person wrote in up to ${whole(value ?? 0)} projects.`,
    heavy: (value) => `${whole(value)} projects`,
    wouldClear: 'Conversations that turn out to be about the same projects.',
  },
  7: {
    sentence: ({ seen }) =>
      `${whole(seen.requests)} requests came on a connection that had carried another client of this account. No VPN or tunnel does that; a gateway does, and a company’s inspection that keeps connections.`,
    heavy: (value) => `${whole(value)} requests, some of them behind a gateway of their own`,
    wouldClear: 'Nothing needs to: alone it only says that a gateway is in between.',
  },
  8: {
    sentence: ({ value }) => `${percent(value ?? 0)} of the requests had headers that something on the way added.`,
    heavy: (value) => `${percent(value)}, behind a company’s inspection`,
    wouldClear: 'Nothing needs to: alone it only says that something is in between.',
  },
  9: {
    sentence: ({ value }) =>
      `${percent(value ?? 0)} of the requests were written by another library than the claimed client uses.`,
    heavy: (value) => `${percent(value)}, behind a gateway of their own`,
    wouldClear: 'A client that the account’s owner names, and that writes its requests so.',
  },
  10: {
    sentence: ({ value }) => `${percent(value ?? 0)} of the requests came from hosting networks.`,
    heavy: (value) => `${percent(value)}, from Codespaces, CI or a VPN`,
    wouldClear: 'Nothing needs to: it weighs next to nothing.',
  },
  11: {
    sentence: ({ value }) =>
      `${whole(value ?? 0)} requests made claims that exclude each other, or changed them back and forth within minutes.`,
    heavy: (value) => `${whole(value)} requests`,
    wouldClear: 'A shared home folder (WSL, containers), or a tool that makes its claims up.',
  },
  12: {
    sentence: ({ value }) => `In ${percent(value ?? 0)} of the requests the client calls itself a relay or gateway.`,
    heavy: (value) => `${percent(value)}, with a gateway of their own`,
    wouldClear: 'A gateway that one person uses.',
  },
  13: {
    sentence: ({ value }) => `${whole(value ?? 0)} device ids of this account are used by other accounts, too.`,
    heavy: (value) => `${whole(value)} devices`,
    wouldClear: 'A cloned machine image, or a constant of a tool.',
  },
  14: {
    sentence: ({ value }) =>
      value === null
        ? 'There are too few turns to say how many came with the proof of an installation.'
        : `${percent(value)} of a person’s turns came with the proof of an installation that the owner signed in on.`,
    heavy: (value) => percent(value),
    wouldClear: 'Its absence says nothing; more of them speak for one person.',
  },
  15: {
    sentence: ({ seen }) =>
      `${whole(seen.projects)} of ${whole(seen.of)} projects were worked on from two clients or more, as one person with several machines does.`,
    heavy: (value) => percent(value),
    wouldClear: 'Its absence says nothing; more of them speak for one person.',
  },
  16: {
    sentence: ({ value }) =>
      value
        ? 'The owner has declared a gateway, CI or several machines.'
        : 'The owner has declared no gateway, CI or further machines.',
    heavy: () => 'not needed',
    wouldClear: 'Nothing needs to be declared.',
  },
};

/** The dossier of a judgement, at `madeAt` (ms). */
export function dossierOf(judgement: Judgement, sketch: Sketch, madeAt: number): Dossier {
  const { families, verdict } = judgement;
  return {
    kind: verdict === 'sharing' ? 'sharing' : 'not_enough',
    madeAt: new Date(madeAt).toISOString(),
    observedSince: new Date(sketch.firstS * 1000).toISOString(),
    nats: {
      all: tenths(judgement.lambda),
      persons: tenths(families.P),
      transport: tenths(families.T),
      identity: tenths(families.I),
      against: tenths(families.X),
    },
    probability: fine(judgement.probability),
    rule: ruleOf(judgement),
    rulesVersion: judgement.rulesVersion,
    thresholdVersion: judgement.thresholdVersion,
    lines: judgement.evidence.map(lineOf),
    ...weekOf(sketch),
    projects: projectsOf(sketch),
  };
}

function weekOf({ hours, lastS }: Sketch): Pick<Dossier, 'week'> {
  const week = hours.week(lastS);
  return week.some((turns) => turns > 0) ? { week } : {};
}

/** Projects with a turn of a person, by numbers alone. Groups are numbered from 1, the one with most turns first. */
function projectsOf(sketch: Sketch): NonNullable<Dossier['projects']> {
  const turnsOf = (works: Iterable<{ turns: number }>) => [...works].reduce((sum, { turns }) => sum + turns, 0);
  const groups = groupsOf(sketch).sort((a, b) => turnsOf(b.works) - turnsOf(a.works));
  return sketch.workspaces.list
    .filter(({ turns }) => Math.round(turns) > 0)
    .sort((a, b) => b.turns - a.turns)
    .map((work) => ({
      turns: Math.round(work.turns),
      days: countDays(work.days),
      clients: work.clients.length,
      group: groups.findIndex(({ works }) => works.has(work)) + 1,
    }));
}

function ruleOf({ verdict, threshold }: Judgement): string {
  const { persons, groups, corroboration } = THRESHOLDS;
  if (verdict !== 'sharing')
    return 'Signals of several people have been enough for a week, and nothing of the way here corroborates them: not enough to act on.';
  return `At least ${threshold} nats in all; of several people at least ${persons} from ${groups} different signals; and at least ${corroboration} from the way here or from contradictions. No family of signals is enough by itself.`;
}

function lineOf(evidence: Evidence): DossierLine {
  const words = WORDS[evidence.signal];
  const heavy = HEAVY[evidence.signal];
  return {
    signal: evidence.signal,
    speaks: evidence.nats > 0 ? 'for' : evidence.nats < 0 ? 'against' : 'neither',
    name: SIGNALS[evidence.signal].name,
    sentence: words.sentence(evidence),
    heavyUsers: `half: ${words.heavy(heavy.p50)}; all but 1 in 1,000: ${words.heavy(heavy.p999)}`,
    nats: tenths(evidence.nats),
    seen: Object.fromEntries(
      Object.entries({ ...evidence.seen, ...(evidence.value === null ? {} : { value: evidence.value }) }).map(
        ([name, seen]) => [name, fine(seen)],
      ),
    ),
    firstSeen: iso(evidence.firstS),
    lastSeen: iso(evidence.lastS),
    wouldClear: words.wouldClear,
  };
}

const CONTRADICTED: Record<Contradiction, string> = {
  oscillates: 'says that one device has two systems, in turns',
  impossible: 'makes claims that exclude each other',
  foreign: 'is written by another program than that',
};

/** What is told to the owner of an account whose client contradicts itself. */
export function adviceOf({ client, contradictions }: Advice): { id: string; text: string } {
  const name = client === 'other' ? 'as what it is not' : `“${client}”`;
  const how = contradictions.map((one) => CONTRADICTED[one]).join(', and ');
  const text = `A client of yours calls itself ${name}, and ${how}. This can make requests fail. If it is a tool of your own, let it send its own name.`;
  return { id: `client:${client}:${contradictions.join('+')}`, text };
}

/** What is seen of an account, in sentences for its owner. Without weights: they would tell how to get around them. */
export function inWords(evidence: readonly Evidence[]): string[] {
  return evidence.filter(({ value }) => value !== null).map((one) => WORDS[one.signal].sentence(one));
}
