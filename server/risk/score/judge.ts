import { CONTRADICTIONS, type Contradiction } from '../signals/identities.ts';
import { FAMILIES, type Family } from '../signals/observation.ts';
import type { Sketch } from '../signals/sketch.ts';
import { countDays, DAY_S } from '../signals/time.ts';
import {
  ADVICE,
  CALIBRATION,
  COUNTER_CAP,
  FAMILY_CAP,
  type FamilyOfSignals,
  RULES_VERSION,
  SIGNALS,
  THRESHOLD_VERSION,
  THRESHOLDS,
} from './constants.ts';
import { type Beside, type Evidence, evidenceOf } from './evidence.ts';

/** A client that contradicts itself: as which it came, and how it does. */
export interface Advice {
  client: Family;
  contradictions: Contradiction[];
}

type Weighed = Pick<Evidence, 'signal' | 'nats'>;

export interface Judgement {
  /** Nats in all. */
  lambda: number;
  families: Record<FamilyOfSignals, number>;
  /** Nats that `sharing` needs in all at this age. */
  threshold: number;
  /** That the account serves several people, among accounts of which one in 100 does. */
  probability: number;
  /**
   * `sharing`: a person should look. `not_enough`: the signals of several people would be enough, and nothing
   * corroborates them.
   */
  verdict: 'clean' | 'sharing' | 'not_enough';
  /** What the account's user should know of a client that contradicts itself. */
  advice: Advice | null;
  evidence: Evidence[];
  rulesVersion: number;
  thresholdVersion: number;
}

/** Whether an account serves several people through a relay. */
export function judge(sketch: Sketch, beside: Beside): Judgement {
  const evidence = evidenceOf(sketch, beside);
  return {
    ...weigh(evidence, (sketch.lastS - sketch.firstS) / DAY_S),
    advice: adviceFor(sketch),
    evidence,
    rulesVersion: RULES_VERSION,
    thresholdVersion: THRESHOLD_VERSION,
  };
}

/** What the evidence of so many days comes to. */
export function weigh(
  evidence: readonly Weighed[],
  days: number,
): Pick<Judgement, 'lambda' | 'families' | 'threshold' | 'probability' | 'verdict'> {
  const groups = strongest(evidence);
  const sum = (family: FamilyOfSignals) =>
    groups.reduce((nats, one) => nats + (SIGNALS[one.signal].family === family ? one.nats : 0), 0);
  const families = {
    P: Math.min(FAMILY_CAP, sum('P')),
    T: Math.min(FAMILY_CAP, sum('T')),
    I: Math.min(FAMILY_CAP, sum('I')),
    X: Math.max(COUNTER_CAP, sum('X')),
  };
  const lambda = families.P + families.T + families.I + families.X;
  const threshold = days <= 1 ? THRESHOLDS.firstDay : THRESHOLDS.later;
  const persons = groups.filter(
    ({ signal, nats }) => SIGNALS[signal].family === 'P' && nats >= THRESHOLDS.leastOfGroup,
  );
  return {
    ...{ lambda, families, threshold },
    probability: 1 / (1 + Math.exp(-(CALIBRATION.offset + CALIBRATION.slope * lambda))),
    verdict: verdictOf({ lambda, families, causes: persons.length, threshold }),
  };
}

/** No family is enough by itself, however strong (RISK). `causes`: groups of P that say something each. */
export function verdictOf({
  lambda,
  families: { P, T, I },
  causes,
  threshold,
}: Pick<Judgement, 'lambda' | 'families' | 'threshold'> & { causes: number }): Judgement['verdict'] {
  const { persons, groups, corroboration, notEnough } = THRESHOLDS;
  if (P < persons || causes < groups) return 'clean';
  if (lambda >= threshold && Math.max(T, I) >= corroboration) return 'sharing';
  return P >= notEnough ? 'not_enough' : 'clean';
}

/** The strongest signal of each group, for or against. */
function strongest(evidence: readonly Weighed[]): Weighed[] {
  const best = new Map<string, Weighed>();
  for (const one of evidence) {
    const { group } = SIGNALS[one.signal];
    const known = best.get(group);
    if (!known || Math.abs(one.nats) > Math.abs(known.nats)) best.set(group, one);
  }
  return [...best.values()];
}

function adviceFor({ identities }: Sketch): Advice | null {
  const kinds = CONTRADICTIONS.map((contradiction, i) => ({ contradiction, ...identities.contradictions[i]! })).filter(
    ({ days, times }) => times >= 1 && countDays(days) >= ADVICE.days,
  );
  const requests = kinds.reduce((sum, { times }) => sum + times, 0);
  if (kinds.length < ADVICE.kinds || requests < ADVICE.requests) return null;
  const most = kinds.reduce((a, b) => (b.times > a.times ? b : a));
  const client = FAMILIES[most.family]!;
  return { client, contradictions: kinds.map(({ contradiction }) => contradiction) };
}
