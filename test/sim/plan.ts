import type { Job } from './crew.ts';
import { PERSONAS } from './personas/all.ts';
import type { Persona } from './personas/persona.ts';
import { SWEEPS } from './personas/sweeps.ts';
import type { SetName } from './traffic/parameters.ts';

/** How many accounts each part simulates. `share` makes all of them fewer, for a first look. */
export interface Sizes {
  /** Honest account-months in all, shared out by the personas' weights, and at least so many of each hard one. */
  honest: number;
  hard: number;
  others: number;
  /** Accounts of each kind of sharing: of those that a goal names, and of the others. */
  named: number;
  sharing: number;
  /** Accounts at each point of a sweep. */
  sweep: number;
}

/** RISK: 0 flags in 30,000 pooled months and in 300 of each hard persona; 0 misses in 299. */
export const FULL: Sizes = { honest: 30_000, hard: 300, others: 100, named: 400, sharing: 100, sweep: 30 };
export const QUICK: Sizes = { honest: 300, hard: 10, others: 5, named: 30, sharing: 10, sweep: 4 };

export const shareOf = (sizes: Sizes, share: number): Sizes =>
  Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, Math.ceil(share * size)])) as unknown as Sizes;

export const isHonest = ({ mustBe }: Persona) => mustBe === 'clean' || mustBe === 'unflagged';

const month = (persona: string, set: SetName, count: number): Job => ({ persona, set, from: 0, to: count, days: 30 });

export function honestJobs(set: SetName, sizes: Sizes): Job[] {
  const personas = PERSONAS.filter((one) => isHonest(one) && (set === 'B' || !one.isUnseen));
  const all = personas.reduce((sum, { weight = 0 }) => sum + weight, 0);
  return personas.map(({ name, isHard, weight = 0 }) =>
    month(name, set, Math.max(isHard ? sizes.hard : sizes.others, Math.ceil((sizes.honest * weight) / all))),
  );
}

/** Those that RISK sets a goal for, with the days that the goal gives. */
const NAMED: Record<string, number> = {
  ...{ 'resale-10': 7, rotating: 7, 'normaliser-queue': 7, 'resale-5': 7, 'resale-20': 1, 'resale-100': 1 },
};

export function sharingJobs(set: SetName, sizes: Sizes): Job[] {
  return PERSONAS.filter((one) => !isHonest(one) && (set === 'B' || !one.isUnseen)).map(({ name, mustBe }) => {
    const count = name in NAMED ? sizes.named : sizes.sharing;
    const days = NAMED[name] ?? (mustBe === 'missed' || name === 'slow-growth' ? 30 : 14);
    const stopsAtFlag = name === 'resale-100' || name.startsWith('resale-10-');
    return { persona: name, set, from: 0, to: count, days, stopsAtFlag, firstDay: 'working' };
  });
}

export const sweepJobs = (set: SetName, sizes: Sizes): Job[] =>
  SWEEPS.flatMap(({ name, points, days }) =>
    points.map(
      (point): Job => ({
        ...{ persona: `${name}:${point}`, set, from: 0, to: sizes.sweep, days, stopsAtFlag: true, firstDay: 'working' },
      }),
    ),
  );

/** Set A is small: it shows only how far the fit and the test differ. */
const smaller = (sizes: Sizes): Sizes => ({
  ...{ honest: sizes.honest / 10, hard: Math.ceil(sizes.hard / 3), others: Math.ceil(sizes.others / 4) },
  ...{ named: Math.ceil(sizes.named / 4), sharing: Math.ceil(sizes.sharing / 4), sweep: sizes.sweep },
});

/** The parts of a whole run, each of which can run by itself. */
export const PARTS = {
  'honest-A': (sizes: Sizes) => honestJobs('A', smaller(sizes)),
  'sharing-A': (sizes: Sizes) => sharingJobs('A', smaller(sizes)),
  'honest-B': (sizes: Sizes) => honestJobs('B', sizes),
  'sharing-B': (sizes: Sizes) => sharingJobs('B', sizes),
  sweeps: (sizes: Sizes) => sweepJobs('B', sizes),
} as const;
export type PartName = keyof typeof PARTS;
