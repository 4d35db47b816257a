import type { FamilyOfSignals } from '../../server/risk/score/constants.ts';
import { JUDGED_AT_HOURS } from '../../server/risk/score/constants.ts';
import { type Judgement, judge } from '../../server/risk/score/judge.ts';
import { encode } from '../../server/risk/signals/codec.ts';
import { emptySketch, fold } from '../../server/risk/signals/sketch.ts';
import { Baselines, type BaselineValues } from './baselines.ts';
import type { Persona } from './personas/persona.ts';
import { arrivals } from './traffic/account.ts';
import { HOUR } from './traffic/day.ts';
import { parametersOf, type SetName } from './traffic/parameters.ts';
import { mix, Random } from './traffic/random.ts';

/** An account at one time. */
export interface Snapshot {
  hours: number;
  lambda: number;
  families: Record<FamilyOfSignals, number>;
  probability: number;
  verdict: Judgement['verdict'];
  /** By signal, 1 to 16: raw value (null: nothing to say) and nats. */
  values: (number | null)[];
  nats: number[];
  baselines: BaselineValues;
}

/** One simulated account from its first request on. */
export interface Trial {
  persona: string;
  seed: number;
  requests: number;
  turns: number;
  /** Hours after the first request; null: never within the time that was simulated. */
  flaggedAt: number | null;
  notEnoughAt: number | null;
  isAdvised: boolean;
  /** The highest of all judgements. */
  highest: number;
  snapshots: Snapshot[];
  /** Bytes of the encoded sketch at the end. */
  bytes: number;
  /** Mean seconds that a queue held a prompt. */
  waitedS: number;
  ms: number;
}

export interface TrialOptions {
  days: number;
  /** Ends at the first flag. */
  stopsAtFlag?: boolean;
  /** Which day of the week is the first: any, or a working day. */
  firstDay?: 'any' | 'working';
}

/** Snapshots are kept after a day, a week and at the end. */
const KEPT_HOURS = [24, 168];

const nameHash = (name: string) => [...name].reduce((hash, letter) => mix(hash ^ letter.charCodeAt(0)), 0x5bd1e995);

export const worldOf = (persona: string, set: SetName, seed: number) => {
  const random = new Random(set === 'A' ? 1 : 2, nameHash(persona), seed);
  return { set, parameters: parametersOf(set), salt: random.hash(), random };
};

export function trial(persona: Persona, set: SetName, seed: number, options: TrialOptions): Trial {
  const began = performance.now();
  const account = persona.make(worldOf(persona.name, set, seed));
  const sketch = emptySketch();
  const baselines = new Baselines();
  const result: Trial = {
    ...{ persona: persona.name, seed, requests: 0, turns: 0, flaggedAt: null, notEnoughAt: null, isAdvised: false },
    ...{ highest: Number.NEGATIVE_INFINITY, snapshots: [], bytes: 0, waitedS: 0, ms: 0 },
  };
  let [first, next] = [0, JUDGED_AT_HOURS[0] as number];
  const judgeAt = (hours: number, isKept: boolean) => {
    for (const device of sketch.identities.devices) device.accounts = account.accountsOfDevices;
    const judgement = judge(sketch, account.beside);
    result.highest = Math.max(result.highest, judgement.lambda);
    if (judgement.verdict === 'sharing') result.flaggedAt ??= hours;
    if (judgement.verdict === 'not_enough') result.notEnoughAt ??= hours;
    result.isAdvised ||= judgement.advice !== null;
    if (isKept) result.snapshots.push(snapshot(hours, judgement, { ...baselines.values }));
  };
  const firstDay = options.firstDay === 'working' ? seed % 5 : seed % 7;
  for (const arrival of arrivals(account, firstDay, options.days + 1)) {
    const { at, turn } = arrival.observation;
    if (first === 0) first = at;
    while (at >= first + next * HOUR && next <= 24 * options.days) {
      judgeAt(next, KEPT_HOURS.includes(next) || next === 24 * options.days);
      next = JUDGED_AT_HOURS.find((hours) => hours > next) ?? next + 24;
    }
    if (next > 24 * options.days || (options.stopsAtFlag && result.flaggedAt !== null)) break;
    fold(sketch, arrival.observation);
    baselines.add(arrival);
    result.requests++;
    if (turn.kind === 'human') result.turns++;
  }
  // Nothing came any more: it is judged as it is.
  if (next <= 24 * options.days && !(options.stopsAtFlag && result.flaggedAt !== null))
    for (const hours of new Set([...KEPT_HOURS, 24 * options.days]))
      if (hours >= next && hours <= 24 * options.days) judgeAt(hours, true);
  const waited = account.members.map(({ route }) => route.waited);
  const prompts = waited.reduce((sum, one) => sum + one.prompts, 0);
  result.waitedS = prompts === 0 ? 0 : waited.reduce((sum, { ms }) => sum + ms, 0) / prompts / 1000;
  result.bytes = encode(sketch).length;
  result.ms = performance.now() - began;
  return result;
}

function snapshot(hours: number, judgement: Judgement, baselines: BaselineValues): Snapshot {
  const { lambda, families, probability, verdict, evidence } = judgement;
  return {
    ...{ hours, lambda, families, probability, verdict, baselines },
    values: evidence.map(({ value }) => value),
    nats: evidence.map(({ nats }) => nats),
  };
}
