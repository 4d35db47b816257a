/** The natural logarithm of the gamma function: Lanczos, g = 7, 9 terms. */
function logGamma(x: number): number {
  const c = [
    ...[0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059],
    ...[12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7],
  ];
  const sum = c.slice(1).reduce((all, one, i) => all + one / (x + i), c[0]!);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The regularised incomplete beta function, by its continued fraction (Lentz; Numerical Recipes 6.4). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x)) / a;
  const tiny = 1e-300;
  const safe = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / safe(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / safe(1 + even * d);
    c = safe(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / safe(1 + odd * d);
    c = safe(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-12) break;
  }
  return front * fraction;
}

/** The x at which an increasing function of 0 to 1 reaches `value`. */
function inverse(of: (x: number) => number, value: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (of(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

export interface Interval {
  low: number;
  high: number;
}

/** Clopper and Pearson's exact interval of a share, `hits` of `trials`, at 95 %. */
export function clopperPearson(hits: number, trials: number, level = 0.95): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const tail = (1 - level) / 2;
  return {
    low: hits === 0 ? 0 : inverse((p) => incompleteBeta(p, hits, trials - hits + 1), tail),
    high: hits === trials ? 1 : inverse((p) => incompleteBeta(p, hits + 1, trials - hits), 1 - tail),
  };
}

/** The value that the share `q` of these lies at or below. NaN for none. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))]!;
}

/** A value for each of both kinds, and how much each weighs in all. */
export interface Scored {
  value: number;
  isSharing: boolean;
}

/** Points of the curve: false positives against recall, from the highest threshold to the lowest. */
export function roc(scored: readonly Scored[]): { threshold: number; falsePositives: number; recall: number }[] {
  const sorted = [...scored].sort((a, b) => b.value - a.value);
  const positives = sorted.filter(({ isSharing }) => isSharing).length;
  const negatives = sorted.length - positives;
  const points = [{ threshold: Number.POSITIVE_INFINITY, falsePositives: 0, recall: 0 }];
  let [hits, wrong] = [0, 0];
  sorted.forEach(({ value, isSharing }, i) => {
    if (isSharing) hits++;
    else wrong++;
    if (sorted[i + 1]?.value !== value)
      points.push({ threshold: value, falsePositives: wrong / negatives, recall: hits / positives });
  });
  return points;
}

/** The area under that curve: 1 tells all apart, 0.5 nothing. */
export function areaUnder(points: ReturnType<typeof roc>): number {
  return points.slice(1).reduce((area, { falsePositives, recall }, i) => {
    const before = points[i]!;
    return area + ((falsePositives - before.falsePositives) * (recall + before.recall)) / 2;
  }, 0);
}

/** The highest recall at no more than so many false positives. */
export const recallAt = (points: ReturnType<typeof roc>, falsePositives: number): number =>
  Math.max(...points.filter((point) => point.falsePositives <= falsePositives).map(({ recall }) => recall));

export interface Bin {
  /** Mean probability said, and share that shares, both weighted. */
  said: number;
  found: number;
  weight: number;
  count: number;
}

/**
 * Whether a said probability is the share that is found, in ten classes, where one in 1 / `prevalence` accounts shares.
 * ECE: the mean difference over accounts (Naeini et al., AAAI 2015).
 */
export function calibration(scored: readonly Scored[], prevalence: number): { ece: number; bins: Bin[] } {
  const positives = scored.filter(({ isSharing }) => isSharing).length;
  const weights = { true: prevalence / positives, false: (1 - prevalence) / (scored.length - positives) };
  const bins = Array.from({ length: 10 }, (): Bin => ({ said: 0, found: 0, weight: 0, count: 0 }));
  for (const { value, isSharing } of scored) {
    const bin = bins[Math.min(9, Math.floor(value * 10))]!;
    const weight = weights[`${isSharing}`];
    bin.weight += weight;
    bin.said += weight * value;
    if (isSharing) bin.found += weight;
    bin.count++;
  }
  const used = bins.filter(({ count }) => count > 0);
  for (const bin of used) {
    bin.said /= bin.weight;
    bin.found /= bin.weight;
  }
  return { ece: used.reduce((sum, { said, found, weight }) => sum + weight * Math.abs(said - found), 0), bins: used };
}

/** A probability for another share of accounts that share. */
export function atPrevalence(probability: number, from: number, to: number): number {
  const odds = (p: number) => p / (1 - p);
  const other = (odds(Math.min(probability, 1 - 1e-12)) / odds(from)) * odds(to);
  return other / (1 + other);
}
