import { JUDGED_AT_HOURS } from '../../../server/risk/score/constants.ts';
import { personaNamed } from '../personas/all.ts';
import { ADVERSARY, SWEEPS } from '../personas/sweeps.ts';
import { isHonest } from '../plan.ts';
import type { Snapshot, Trial } from '../trial.ts';
import { type Axis, type Chart, svg } from './charts.ts';
import { atPrevalence, calibration, roc, type Scored } from './statistics.ts';

export const isSharing = ({ persona }: Trial) => personaNamed(persona).mustBe === 'flagged';
/** Personas that are counted among all honest accounts, by their weights. */
export function isPooled({ persona }: Trial): boolean {
  const named = personaNamed(persona);
  return isHonest(named) && named.weight !== undefined;
}

export const at = (trial: Trial, hours: number): Snapshot | undefined =>
  trial.snapshots.find((snapshot) => snapshot.hours === hours);

export const flaggedBy = (trials: readonly Trial[], hours: number) =>
  trials.filter(({ flaggedAt }) => flaggedAt !== null && flaggedAt <= hours).length;

/** Both kinds at one time, by what `read` reads. */
export function scored(trials: readonly Trial[], hours: number, read: (snapshot: Snapshot) => number): Scored[] {
  return trials
    .filter((trial) => isPooled(trial) || isSharing(trial))
    .flatMap((trial) => {
      const snapshot = at(trial, hours);
      return snapshot ? [{ value: read(snapshot), isSharing: isSharing(trial) }] : [];
    });
}

/** The prevalence that the judge's probability is for. */
export const OWN_PREVALENCE = 0.01;

const percent = (value: number) => `${Number((100 * value).toPrecision(2))} %`;
const SHARE: Axis = { label: 'flagged', from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], say: percent };

function timeToFlag(trials: readonly Trial[]): Chart {
  const names = [
    'resale-100',
    'resale-20',
    'resale-10',
    'rotating',
    'resale-5',
    'normaliser-queue',
    'one-region',
    'slow-growth',
  ];
  const days = Array.from({ length: 30 }, (_, i) => 24 * (i + 1));
  const hours = [...new Set<number>([...JUDGED_AT_HOURS, ...days])].sort((a, b) => a - b);
  return {
    title: 'Time to a flag (set B)',
    x: {
      ...{ label: 'after the first request', from: 6, to: 720, ticks: [6, 12, 24, 72, 168, 720], isLog: true },
      say: (h) => (h < 24 ? `${h} h` : `${h / 24} d`),
    },
    y: SHARE,
    series: names.map((name) => {
      const own = trials.filter(({ persona }) => persona === name);
      const last = Math.max(
        ...own.flatMap(({ snapshots, flaggedAt }) => [...snapshots.map((one) => one.hours), flaggedAt ?? 0]),
      );
      return { name, points: hours.filter((h) => h <= last).map((h) => [h, flaggedBy(own, h) / own.length] as const) };
    }),
  };
}

function rocs(trials: readonly Trial[], hours: number): Chart {
  const curve = (name: string, read: (snapshot: Snapshot) => number) => {
    const points = roc(scored(trials, hours, read)).map(
      ({ falsePositives, recall }) => [falsePositives, recall] as const,
    );
    return {
      name,
      points: points.filter(
        ([, y], i) => i === 0 || i === points.length - 1 || y !== points[i - 1]![1] || points[i + 1]![1] !== y,
      ),
    };
  };
  return {
    title: `Recall against false positives after ${hours / 24} day${hours > 24 ? 's' : ''}`,
    x: { label: 'false positives', from: 1e-4, to: 1, ticks: [1e-4, 1e-3, 1e-2, 1e-1, 1], isLog: true, say: percent },
    y: { ...SHARE, label: 'recall' },
    series: [
      curve('this score (Λ)', ({ lambda }) => lambda),
      curve('different addresses', ({ baselines }) => baselines.addresses),
      curve('points for devices, countries', ({ baselines }) => baselines.points),
      curve('requests at once', ({ baselines }) => baselines.atOnce),
    ],
  };
}

function breakPoints(trials: readonly Trial[]): Chart[] {
  const chart = (title: string, label: string, names: readonly string[]): Chart => {
    const sweeps = names.map((name) => SWEEPS.find((sweep) => sweep.name === name)!);
    const points = sweeps.flatMap((sweep) => [...sweep.points]);
    const [from, to] = [Math.min(...points), Math.max(...points)];
    return {
      title,
      x: { label, from, to, ticks: [...new Set(sweeps[0]!.points)], isLog: to / from > 4 },
      y: SHARE,
      series: sweeps.map(({ name, points: own, about }) => ({
        name: names.length === 1 ? about : (ADVERSARY[Number(name.split('-')[1])]?.short ?? name),
        points: own.map((point) => {
          const some = trials.filter(({ persona }) => persona === `${name}:${point}`);
          return [point, some.length === 0 ? 0 : flaggedBy(some, Number.POSITIVE_INFINITY) / some.length] as const;
        }),
      })),
    };
  };
  return [
    chart('One person behind a gateway: repositories', 'repositories in use (30 days)', ['repositories']),
    chart('One person behind a gateway: agents', 'agents at a time (30 days)', ['agents']),
    chart('One person behind a gateway: hours', 'hours a day (30 days)', ['hours']),
    chart('People behind a relay', 'people (14 days)', ['people', 'region', 'nginx']),
    chart('10 people behind a relay: how much they do', 'times an ordinary person (1 day)', ['intensity']),
    chart(
      'Who reads the code',
      'people (14 days)',
      SWEEPS.map(({ name }) => name).filter((name) => name.startsWith('adversary')),
    ),
  ];
}

function reliability(trials: readonly Trial[]): Chart {
  return {
    title: 'What a probability means (set B, after 7 days)',
    x: { label: 'said', from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], say: percent },
    y: { ...SHARE, label: 'shared' },
    series: [
      ...[0.01, 0.001].map((prevalence) => ({
        name: `1 account in ${1 / prevalence} shares`,
        points: calibration(
          scored(trials, 168, ({ probability }) => atPrevalence(probability, OWN_PREVALENCE, prevalence)),
          prevalence,
        ).bins.map(({ said, found }) => [said, found] as const),
      })),
      {
        name: 'perfect',
        points: [
          [0, 0],
          [1, 1],
        ],
        isDashed: true,
      },
    ],
  };
}

/** The pictures of docs/risk.md by their file names. */
export function figures(setB: readonly Trial[], sweeps: readonly Trial[]): Record<string, string> {
  return {
    'risk-time.svg': svg([timeToFlag(setB)]),
    'risk-roc.svg': svg([rocs(setB, 24), rocs(setB, 168)]),
    'risk-break-points.svg': svg(breakPoints(sweeps)),
    'risk-calibration.svg': svg([reliability(setB)]),
  };
}
