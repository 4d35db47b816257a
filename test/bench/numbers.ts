// What the bench tells of each thing it measured, and the little statistics that it needs.

/** One number beside its goal. */
export interface Finding {
  /** Stable, for whoever reads the JSON. */
  id: string;
  what: string;
  value: number;
  unit: string;
  /** Reached when the value is below `atMost`, or no less than `atLeast`. None: the number only explains another. */
  goal?: { atMost: number } | { atLeast: number };
  /** What the value was made from. */
  note?: string;
}

/** A measure that can be run alone. */
export interface Measure {
  name: string;
  about: string;
  /** `large`: also what takes many minutes. */
  run(say: (line: string) => void, options: { large: boolean }): Promise<Finding[]>;
}

export function reached({ value, goal }: Finding): boolean | undefined {
  if (!goal) return undefined;
  return 'atMost' in goal ? value < goal.atMost : value >= goal.atLeast;
}

/** The smallest value that `part` (0 to 1) of all values don't exceed; NaN of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

/** Epoch milliseconds with fractions, comparable between the processes of one machine. */
export const now = () => performance.timeOrigin + performance.now();

/** "12 13 19": for notes, so that whoever reads a middle sees how far the rounds lay apart. */
export const listed = (values: readonly number[], digits = 1) => values.map((v) => v.toFixed(digits)).join(' ');
