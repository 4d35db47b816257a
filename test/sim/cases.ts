import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExportedCase } from '../../server/accounts/cases/caseExport.ts';
import { HEAVY_PROJECTS, type SignalNumber } from '../../server/risk/score/constants.ts';
import { along } from '../../server/risk/score/curve.ts';
import { natsOf } from '../../server/risk/score/evidence.ts';
import { type Judgement, weigh } from '../../server/risk/score/judge.ts';
import { root } from '../editor/fetch.ts';

// Cases that were decided, as `admin case NUMBER` prints them. Each new rule is tried on them.

export const CASES = join(root, 'test/sim/cases');

export const keptCases = (): { name: string; exported: ExportedCase }[] =>
  readdirSync(CASES)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ name, exported: JSON.parse(readFileSync(join(CASES, name), 'utf8')) as ExportedCase }));

/** What today's curves, caps and thresholds say of a case. */
export function judgedToday({ signals, days }: ExportedCase): Judgement['verdict'] {
  const evidence = signals.map(({ signal, value, seen }) => {
    const today = signal === 1 ? seen.projects! - along(HEAVY_PROJECTS, days) : value;
    return { signal: signal as SignalNumber, nats: natsOf(signal as SignalNumber, today, seen) };
  });
  return weigh(evidence, days).verdict;
}

/** What a decision that stood up to its appeal says of the judgement, and one that did not. */
export const mayBe = ({ kind, isReversed }: ExportedCase): readonly Judgement['verdict'][] =>
  isReversed ? ['clean', 'not_enough'] : kind === 'sharing' ? ['sharing'] : ['sharing', 'not_enough'];
