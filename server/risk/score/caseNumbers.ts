import type { Dossier } from '../../../shared/risk.ts';

/** A dossier as numbers alone: without times, sentences, projects and hours of the week. */
export interface CaseNumbers {
  kind: 'sharing' | 'not_enough';
  rulesVersion: number;
  thresholdVersion: number;
  /** Days of observation. */
  days: number;
  nats: Dossier['nats'];
  signals: {
    signal: number;
    /** Null: there was not enough to say. */
    value: number | null;
    seen: Record<string, number>;
    nats: number;
  }[];
}

/** Null: it is of no such kind, or of a version that kept no numbers. */
export function numbersOf({ kind, rulesVersion, thresholdVersion, nats, lines }: Dossier): CaseNumbers | null {
  if (kind !== 'sharing' && kind !== 'not_enough') return null;
  const signals = lines.map((line) => {
    const { value = null, ...seen } = line.seen ?? {};
    return { signal: line.signal, value, seen, nats: line.nats };
  });
  const days = signals.find(({ signal }) => signal === 1)?.seen.days;
  return days === undefined ? null : { kind, rulesVersion, thresholdVersion, days, nats, signals };
}
