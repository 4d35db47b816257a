import { connect, countGroups, type Group } from '../signals/clients.ts';
import { LANGUAGES } from '../signals/observation.ts';
import type { Sketch, Timed } from '../signals/sketch.ts';
import { DAY_S } from '../signals/time.ts';
import { CROWDS, SPREADS } from '../signals/turns.ts';
import { isPersistent, isWorkedOn, type Workspace } from '../signals/workspaces.ts';
import {
  CLIENT_TURNS,
  CROWD_OF_ONE_AUTHOR,
  DAYS_COUNT,
  HEAVY_PROJECTS,
  LANGUAGE_SHARE,
  LANGUAGE_TURNS,
  LEAST_HITS,
  LEAST_REQUESTS,
  NEAR_COUNTS,
  NEAR_OF_ONE_AUTHOR,
  SHARED_DEVICE,
  SIGNALS,
  type SignalNumber,
  SPREAD_OF_ONE_AUTHOR,
} from './constants.ts';
import { along } from './curve.ts';

/** What is known beside the sketch. */
export interface Beside {
  /** The account has declared CI keys, a gateway of its own or several machines. */
  isDeclared: boolean;
}

/** One signal of an account. */
export interface Evidence {
  signal: SignalNumber;
  /** What its curve is applied to; null: not enough to say. */
  value: number | null;
  /** What was counted, for the dossier. */
  seen: Record<string, number>;
  nats: number;
  /** Seconds since 1970; 0: none. */
  firstS: number;
  lastS: number;
}

/** All signals, in the order of their numbers. */
export function evidenceOf(sketch: Sketch, beside: Beside): Evidence[] {
  const persistent = sketch.workspaces.list.filter(isPersistent);
  const worked = sketch.workspaces.list.filter(isWorkedOn);
  const { counters, times } = sketch;
  const share = (count: number, of: number) => (of < LEAST_REQUESTS ? null : count / of);
  const span = (list: readonly Workspace[]) => ({
    firstS: list.length === 0 ? 0 : Math.min(...list.map(({ firstS }) => firstS)),
    lastS: Math.max(0, ...list.map(({ lastS }) => lastS)),
  });
  const timed = (name: Timed) => times[name];
  const all = { firstS: sketch.firstS, lastS: sketch.lastS };

  const days = (sketch.lastS - sketch.firstS) / DAY_S;
  const heavy = along(HEAVY_PROJECTS, days);
  const quiet = sketch.hours.quietHours(sketch.firstS, sketch.lastS);
  const languages = languagesOf(worked);
  const blocks = countGroups(groupsOf(sketch), sketch.clients);
  const authors = authorsOf(sketch);
  const severalDevices = worked.filter(
    ({ clients }) => clients.filter((one) => isUsed(one) && sketch.clients.find(one.client)?.isDevice).length > 1,
  ).length;
  const contradicted = sketch.identities.contradictions[0]!.times + sketch.identities.contradictions[1]!.times;
  const isShared = ({ accounts }: { accounts: number }) =>
    accounts >= SHARED_DEVICE.least && accounts <= SHARED_DEVICE.most;
  const devices = sketch.identities.devices.filter(isShared).length;

  const one = (
    signal: SignalNumber,
    value: number | null,
    seen: Record<string, number>,
    when: { firstS: number; lastS: number },
  ): Evidence => ({
    ...{ signal, value, seen, ...when },
    nats: natsOf(signal, value, seen),
  });

  return [
    one(1, persistent.length - heavy, { projects: persistent.length, heavy, days }, span(persistent)),
    one(2, authors.nats, authors.seen, timed('near')),
    one(3, quiet?.hours ?? null, { days: quiet?.days ?? 0 }, all),
    one(4, languages, { languages }, span(worked)),
    one(5, blocks, { blocks }, span(worked)),
    one(6, authors.spread, { projects: authors.spread }, all),
    one(7, counters.coalesced, { requests: counters.coalesced, of: counters.requests }, timed('coalesced')),
    one(8, share(counters.forwarded, counters.requests), { requests: counters.forwarded }, timed('forwarded')),
    one(9, share(counters.foreign, counters.requests), { requests: counters.foreign }, timed('foreign')),
    one(10, share(counters.hosting, counters.requests), { requests: counters.hosting }, timed('hosting')),
    one(11, contradicted, { requests: contradicted }, timed('contradicted')),
    one(12, share(counters.relay, counters.requests), { requests: counters.relay }, timed('relay')),
    one(13, devices, { devices }, all),
    one(14, share(counters.proven, counters.turns), { turns: counters.proven, of: counters.turns }, all),
    one(
      15,
      worked.length === 0 ? null : severalDevices / worked.length,
      { projects: severalDevices, of: worked.length },
      span(worked),
    ),
    one(16, beside.isDeclared ? 1 : 0, {}, { firstS: 0, lastS: 0 }),
  ];
}

/**
 * What a value counts, by its signal's curve and cap; `seen` are the numbers behind it. Those of a dossier can be weighed
 * again so.
 */
export function natsOf(signal: SignalNumber, value: number | null, seen: Record<string, number>): number {
  const { curve, cap } = SIGNALS[signal];
  if (value === null) return 0;
  const weight = signal === 3 ? along(DAYS_COUNT, seen.days ?? 0) : 1;
  return weight * Math.max(-cap, Math.min(cap, along(curve, value)));
}

const isUsed = ({ count }: { count: number }) => count >= CLIENT_TURNS;

/**
 * Signal 2: the strongest of three ways to tell several authors from one. `ratio`: the likelihood ratio of the share of
 * turns that come within seconds of one in other work, against the most that one author shows; the alternative is the
 * share that was seen. The others are how many projects, and how many groups of clients, half an hour has, in the tenth
 * part of the turns with most of them. How many turns there are is no sign: heavy use is fine.
 */
function authorsOf(sketch: Sketch): { nats: number; spread: number; seen: Record<string, number> } {
  const { pairs, crossings, near, middle, spreads, crowds } = sketch.turns.seen;
  const ratio = likelihoodRatio(near, near + middle, NEAR_OF_ONE_AUTHOR);
  const spread = upperTenth(spreads, SPREADS);
  const crowd = upperTenth(crowds, CROWDS);
  const nats = Math.max(
    along(NEAR_COUNTS, ratio),
    along(SPREAD_OF_ONE_AUTHOR, spread),
    along(CROWD_OF_ONE_AUTHOR, crowd),
  );
  return { nats, spread, seen: { pairs, crossings, near, middle, spread, crowd, ratio } };
}

/** Nats for a share above `p0`, of `hits` among `of` trials; 0 if the share is not above it, or of too few. */
export function likelihoodRatio(hits: number, of: number, p0: number): number {
  if (hits < LEAST_HITS || of < LEAST_REQUESTS || hits / of <= p0) return 0;
  const p = Math.min(hits / of, 1 - 1e-9);
  return hits * Math.log(p / p0) + (of - hits) * Math.log((1 - p) / (1 - p0));
}

/** The class that the tenth part with the most reaches at least; 0 for fewer than 20 turns. */
function upperTenth(classes: readonly number[], ends: readonly number[]): number {
  const all = classes.reduce((sum, count) => sum + count, 0);
  if (all < 20) return 0;
  let above = 0;
  for (let i = classes.length - 1; i > 0; i--) {
    above += classes[i]!;
    if (above >= all / 10) return ends[i - 1]! + 1;
  }
  return ends[0]!;
}

/** Signal 4: how many languages are the main one of a project. */
function languagesOf(workspaces: readonly Workspace[]): number {
  const mains = new Set<number>();
  for (const { languages } of workspaces) {
    const all = languages.reduce((sum, turns) => sum + turns, 0);
    const main = LANGUAGES.findIndex((_, i) => languages[i]! >= LANGUAGE_SHARE * all);
    if (all >= LANGUAGE_TURNS && main >= 0) mains.add(main);
  }
  return mains.size;
}

/** Signal 5: groups of clients and projects that share nothing, of the projects that a person has worked on. */
export function groupsOf({ workspaces }: Sketch): Group<Workspace>[] {
  const links = workspaces.list
    .filter(isWorkedOn)
    .map((work) => ({ clients: work.clients.filter(isUsed).map(({ client }) => client), work }));
  return connect(links.filter(({ clients }) => clients.length > 0));
}
