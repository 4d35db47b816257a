import {
  RULES_VERSION,
  SIGNALS,
  type SignalNumber,
  THRESHOLD_VERSION,
  THRESHOLDS,
} from '../../../server/risk/score/constants.ts';
import { BASELINE_LIMITS, type BaselineValues } from '../baselines.ts';
import { PERSONAS, personaNamed } from '../personas/all.ts';
import { ADVERSARY, SWEEPS } from '../personas/sweeps.ts';
import { isHonest } from '../plan.ts';
import { TABLE } from '../traffic/parameters.ts';
import type { Snapshot, Trial } from '../trial.ts';
import { at, flaggedBy, isPooled, isSharing, OWN_PREVALENCE, scored } from './figures.ts';
import { areaUnder, atPrevalence, calibration, clopperPearson, quantile, recallAt, roc } from './statistics.ts';

const EVER = Number.POSITIVE_INFINITY;

function percent(value: number): string {
  if (Number.isNaN(value)) return '?';
  if (value === 0) return '0';
  return value < 0.001 ? `${Number((100 * value).toPrecision(2))} %` : `${Number((100 * value).toFixed(1))} %`;
}

/** `12 of 30: 40 % (22.7 to 59.4 %)`. */
function share(hits: number, trials: number): string {
  if (trials === 0) return 'not simulated';
  const { low, high } = clopperPearson(hits, trials);
  return `${hits} of ${trials}: ${percent(hits / trials)} (${percent(low)} to ${percent(high)})`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

const of = (trials: readonly Trial[], persona: string) => trials.filter((one) => one.persona === persona);
const reached = (is: boolean) => (is ? 'reached' : '**missed**');
/** Nothing was found, in fewer accounts than the goal asks for. */
const soFar = (hits: number, trials: number, least: number) =>
  hits > 0 ? '**missed**' : trials >= least ? 'reached' : 'so far: too few accounts to say';

/** Each goal with what set B showed. */
export function goals(setB: readonly Trial[]): string {
  const pooled = setB.filter(isPooled);
  const wrong = flaggedBy(pooled, EVER);
  const hard = PERSONAS.filter((one) => one.isHard && of(setB, one.name).length > 0);
  const wrongHard = hard.map(({ name }) => ({ name, trials: of(setB, name), hits: flaggedBy(of(setB, name), EVER) }));
  const recall = (persona: string, hours: number, goal: number, what: string) => {
    const own = of(setB, persona);
    const hits = flaggedBy(own, hours);
    return [what, `≥ ${percent(goal)}`, share(hits, own.length), reached(hits / own.length >= goal)];
  };
  const raw = flaggedBy(of(setB, 'resale-10'), 24) / of(setB, 'resale-10').length;
  const rotating = of(setB, 'rotating');
  const moved = flaggedBy(rotating, 24) / rotating.length;
  const [rawIn, movedIn] = [of(setB, 'resale-10'), rotating].map((own) =>
    clopperPearson(flaggedBy(own, 24), own.length),
  );
  const overlap = rawIn!.low <= movedIn!.high && movedIn!.low <= rawIn!.high && rotating.length < 10_000;
  const advised = of(setB, 'forged').filter(({ isAdvised }) => isAdvised).length;
  const said = scored(setB, 168, ({ probability }) => probability);
  const { ece } = calibration(said, OWN_PREVALENCE);
  const bytes = setB.reduce((most, one) => Math.max(most, one.bytes), 0);
  const bad = wrongHard.filter(({ hits }) => hits > 0);
  const fewest = Math.min(...wrongHard.map(({ trials }) => trials.length));
  return table(
    ['what', 'goal', 'set B, with the interval at 95 %', ''],
    [
      [
        'honest account-months flagged, pooled',
        '0 of ≥ 30,000',
        share(wrong, pooled.length),
        soFar(wrong, pooled.length, 30_000),
      ],
      [
        'each hard honest persona',
        '0 of ≥ 300',
        bad.length === 0
          ? `0 in each of ${hard.length}, of ${fewest} or more: at most ${percent(clopperPearson(0, fewest).high)}`
          : bad.map(({ name, trials, hits }) => `${name} ${share(hits, trials.length)}`).join('; '),
        soFar(bad.length, fewest, 300),
      ],
      recall('resale-10', 24, 0.99, '10 people, raw relay, 24 h'),
      [
        'the same with 20 addresses',
        '± 1 point',
        share(flaggedBy(rotating, 24), rotating.length),
        overlap ? 'can’t be told apart' : reached(Math.abs(raw - moved) <= 0.01),
      ],
      recall('normaliser-queue', 168, 0.9, '10 people, normaliser and queue, 7 days'),
      recall('resale-5', 168, 0.9, '5 people, raw relay, 7 days'),
      recall('resale-20', 12, 0.99, '20 people, raw relay, 12 h'),
      recall('resale-100', 12, 0.99, '100 people, raw relay, 12 h'),
      [
        'a forged user-agent is told to its user, 30 days',
        '≥ 95 %',
        share(advised, of(setB, 'forged').length),
        reached(advised / of(setB, 'forged').length >= 0.95),
      ],
      ['calibration (ECE), one account in 100 shares', '≤ 0.02', ece.toFixed(4), reached(ece <= 0.02)],
      ['bytes of an account', '≤ 20 KB', `${bytes} at most`, reached(bytes <= 20_480)],
    ],
  );
}

export function honestTable(setB: readonly Trial[]): string {
  const personas = PERSONAS.filter((one) => isHonest(one) && of(setB, one.name).length > 0);
  return table(
    ['persona', '', 'account-months', 'flagged', 'at most (95 %)', '“not enough” list', 'advice', 'highest Λ'],
    personas.map(({ name, about, isUnseen }) => {
      const own = of(setB, name);
      const hits = flaggedBy(own, EVER);
      return [
        `\`${name}\``,
        `${about}${isUnseen ? ' (unseen)' : ''}`,
        ...[own.length, hits, percent(clopperPearson(hits, own.length).high)],
        own.filter(({ notEnoughAt }) => notEnoughAt !== null).length,
        own.filter(({ isAdvised }) => isAdvised).length,
        Math.max(...own.map(({ highest }) => highest)).toFixed(1),
      ];
    }),
  );
}

const whenText = (hours: number) => (hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`);

export function sharingTable(setA: readonly Trial[], setB: readonly Trial[]): string {
  const rows = PERSONAS.filter((one) => !isHonest(one)).map(({ name, about, mustBe }) => {
    const own = of(setB, name);
    const days = Math.max(...own.flatMap(({ snapshots }) => snapshots.map(({ hours }) => hours)), 24) / 24;
    const times = own.flatMap(({ flaggedAt }) => flaggedAt ?? []);
    const first = of(setA, name);
    return [
      `\`${name}\``,
      about,
      ...[percent(flaggedBy(own, 24) / own.length), percent(flaggedBy(own, 168) / own.length)],
      `${share(times.length, own.length)} in ${Math.round(days)} d`,
      times.length * 2 < own.length
        ? ''
        : whenText(
            quantile(
              own.map(({ flaggedAt }) => flaggedAt ?? EVER),
              0.5,
            ),
          ),
      first.length === 0 ? 'unseen' : percent(flaggedBy(first, EVER) / first.length),
      mustBe === 'missed' ? 'accepted miss' : '',
    ];
  });
  return table(['persona', '', '24 h', '7 d', 'in all', 'half of them by', 'set A, in all', ''], rows);
}

/** The three usual rules on the same accounts, after 7 days: at their usual limits, and at as few false positives as possible. */
export function baselineTable(setB: readonly Trial[]): string {
  const methods: [string, (snapshot: Snapshot) => number, (snapshot: Snapshot) => boolean][] = [
    ['this score', ({ lambda }) => lambda, ({ verdict }) => verdict === 'sharing'],
    ...(
      [
        ['different addresses in a day', 'addresses'],
        ['points for devices, countries, addresses', 'points'],
        ['requests at the same time', 'atOnce'],
      ] as const
    ).map(([name, key]): [string, (snapshot: Snapshot) => number, (snapshot: Snapshot) => boolean] => [
      `${name} (more than ${BASELINE_LIMITS[key as keyof BaselineValues]})`,
      ({ baselines }) => baselines[key],
      ({ baselines }) => baselines[key] > BASELINE_LIMITS[key],
    ]),
  ];
  return table(
    [
      'rule',
      'area under the curve',
      'recall at 0.1 % false positives',
      'at its own limit: honest flagged',
      'sharing found',
    ],
    methods.map(([name, read, decides]) => {
      const points = roc(scored(setB, 168, read));
      const decided = scored(setB, 168, (snapshot) => Number(decides(snapshot)));
      const hits = (isSharing: boolean) => {
        const own = decided.filter((one) => one.isSharing === isSharing);
        return percent(own.filter(({ value }) => value === 1).length / own.length);
      };
      return [name, areaUnder(points).toFixed(4), percent(recallAt(points, 0.001)), hits(false), hits(true)];
    }),
  );
}

type Family = 'P' | 'T' | 'I' | 'X';

/** Whether a snapshot would be a flag if one family and what is demanded of it were left out. */
function flaggedWithout({ families, nats }: Snapshot, without: Family | null): boolean {
  const left = (family: Family) => (family === without ? 0 : families[family]);
  const lambda = left('P') + left('T') + left('I') + left('X');
  const groups = new Map<string, number>();
  for (const [i, value] of nats.entries()) {
    const { family, group } = SIGNALS[(i + 1) as SignalNumber];
    if (family === 'P') groups.set(group, Math.max(groups.get(group) ?? 0, value));
  }
  const persons = [...groups.values()].filter((value) => value >= THRESHOLDS.leastOfGroup).length;
  const isPersons = without === 'P' || (families.P >= THRESHOLDS.persons && persons >= THRESHOLDS.groups);
  return lambda >= THRESHOLDS.later && isPersons && Math.max(left('T'), left('I')) >= THRESHOLDS.corroboration;
}

export function familiesTable(setB: readonly Trial[]): string {
  const shares = (without: Family | null, persona: string) => {
    const own = of(setB, persona).flatMap((trial) => at(trial, 168) ?? []);
    return own.length === 0 ? '' : percent(own.filter((one) => flaggedWithout(one, without)).length / own.length);
  };
  const personas = [
    'resale-10',
    'normaliser-queue',
    'one-region',
    'resale-5',
    'heavy',
    'gateway-heavy',
    'gateway-containers',
    'normaliser-contractor',
  ];
  return table(
    ['left out', 'area under the curve', ...personas.map((name) => `\`${name}\``)],
    ([null, 'P', 'T', 'I', 'X'] as const).map((without) => {
      const lambda = ({ families }: Snapshot) =>
        (['P', 'T', 'I', 'X'] as const).reduce((sum, family) => sum + (family === without ? 0 : families[family]), 0);
      const area = areaUnder(roc(scored(setB, 168, lambda))).toFixed(4);
      return [without ?? 'nothing', area, ...personas.map((persona) => shares(without, persona))];
    }),
  );
}

export function calibrationTable(setB: readonly Trial[]): string {
  return table(
    ['accounts that share', 'ECE after 24 h', 'ECE after 7 d'],
    [0.01, 0.001].map((prevalence) => [
      `1 in ${1 / prevalence}`,
      ...[24, 168].map((hours) => {
        const said = scored(setB, hours, ({ probability }) => atPrevalence(probability, OWN_PREVALENCE, prevalence));
        return calibration(said, prevalence).ece.toFixed(5);
      }),
    ]),
  );
}

export function sweepTable(sweeps: readonly Trial[]): string {
  const rows = SWEEPS.filter(({ name }) => !name.startsWith('adversary')).map(({ name, about, axis, points, days }) => [
    about,
    axis,
    points
      .map((point) => {
        const own = of(sweeps, `${name}:${point}`);
        return `${point}: ${own.length === 0 ? '?' : percent(flaggedBy(own, EVER) / own.length)}`;
      })
      .join(', '),
    days,
  ]);
  return table(['who', 'what grows', 'flagged', 'days'], rows);
}

export function adversaryTable(sweeps: readonly Trial[]): string {
  const rows = ADVERSARY.map(({ step, costs }, i) => {
    const { points } = SWEEPS.find(({ name }) => name === `adversary-${i}`)!;
    const own = points.map((point) => ({ point, trials: of(sweeps, `adversary-${i}:${point}`) }));
    const shareOf = (trials: readonly Trial[], is: (one: Trial) => boolean) =>
      percent(trials.filter(is).length / trials.length);
    const list = (is: (one: Trial) => boolean) =>
      own.map(({ point, trials }) => `${point}: ${shareOf(trials, is)}`).join(', ');
    const waits = own.map(({ point, trials }) => {
      const mean = trials.reduce((sum, { waitedS }) => sum + waitedS, 0) / trials.length;
      return `${point}: ${mean < 90 ? `${mean.toFixed(0)} s` : mean < 5400 ? `${(mean / 60).toFixed(0)} min` : `${(mean / 3600).toFixed(0)} h`}`;
    });
    const isQueued = own.some(({ trials }) => trials.some(({ waitedS }) => waitedS > 0));
    return [
      `${i === 0 ? '' : '+ '}${step}`,
      list(({ flaggedAt }) => flaggedAt !== null),
      list(({ flaggedAt, notEnoughAt }) => flaggedAt === null && notEnoughAt !== null),
      isQueued ? `a prompt waits (people: mean) ${waits.join(', ')}` : costs,
    ];
  });
  return table(
    ['what he does', 'flagged in 14 days (people: share)', 'only on the “not enough” list', 'what it costs him'],
    rows,
  );
}

const show = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'median' in value
    ? `median ${(value as { median: number }).median}, σ ${(value as unknown as { sigma: number }).sigma}`
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([key, one]) => (Array.isArray(value) ? one : `${key} ${one}`))
          .join(', ')
      : String(value);

export const parameterTable = (): string =>
  table(
    ['what', 'set A', 'set B', 'source'],
    Object.values(TABLE).map(({ what, a, b, source }) => [what, show(a), show(b), source]),
  );

/** What the numbers of the page are made of. */
export function madeOf(setA: readonly Trial[], setB: readonly Trial[], sweeps: readonly Trial[]): string {
  const all = [...setA, ...setB, ...sweeps];
  const requests = all.reduce((sum, one) => sum + one.requests, 0);
  const count = (trials: readonly Trial[]) => trials.length.toLocaleString('en');
  return (
    `This run: rules version ${RULES_VERSION}, thresholds version ${THRESHOLD_VERSION}; ${count(setB)} accounts of set B, ` +
    `${count(setA)} of set A, ${count(sweeps)} in sweeps; ${Math.round(requests / 1e6).toLocaleString('en')} million requests.`
  );
}

/** Where what a persona must be and what it is differ, as sentences. Empty: nowhere. */
export function surprises(trials: readonly Trial[]): string[] {
  return [...new Set(trials.map(({ persona }) => persona))].flatMap((name) => {
    const own = of(trials, name);
    const { mustBe } = personaNamed(name);
    const hits = flaggedBy(own, EVER);
    if (isHonest(personaNamed(name)) && hits > 0)
      return [`${name}: ${hits} of ${own.length} honest accounts are flagged`];
    if (mustBe === 'flagged' && isSharing(own[0]!) && hits * 2 < own.length)
      return [`${name}: only ${hits} of ${own.length} are flagged`];
    return [];
  });
}
