/** Cells of the table that one comparison may fill: a byte each, some hundredths of a second. */
const MAX_CELLS = 16_000_000;

const UP = 1;
const LEFT = 2;
const DIAGONAL = 4;

/** Each different line as a number of its own, equal lines of both texts as the same. */
export function numberLines(a: readonly string[], b: readonly string[]): [Int32Array, Int32Array] {
  const numbers = new Map<string, number>();
  const number = (line: string) => {
    const known = numbers.get(line);
    if (known !== undefined) return known;
    numbers.set(line, numbers.size);
    return numbers.size - 1;
  };
  return [Int32Array.from(a, number), Int32Array.from(b, number)];
}

/**
 * For each line of `a` the line of `b` that it is in *every* shortest way of turning `a` into `b` by taking out and putting
 * in lines; -1 where a shortest way takes it out, or takes it for another line. Undefined where the texts differ too much
 * for an answer in reasonable time.
 *
 * All shortest ways lie between two of them in the plane of both texts: the one that takes lines out as early as it can,
 * and the one that puts them in as early as it can. Where these two run through the same step, all others do.
 */
export function sureLines(a: Int32Array, b: Int32Array): Int32Array | undefined {
  const apart = leastChanges(a, b, Math.floor(MAX_CELLS / (a.length + 1)));
  if (apart === undefined) return undefined;
  const out = (apart + a.length - b.length) / 2;
  const width = apart + 1;
  const steps = fillSteps(a, b, out, width);
  const early = trace(steps, a.length, b.length, out, width, [UP, DIAGONAL, LEFT]);
  const late = trace(steps, a.length, b.length, out, width, [LEFT, DIAGONAL, UP]);
  return early.map((line, index) => (line === late[index] ? line : -1));
}

/** The least number of lines to be taken out and put in (Myers 1986); undefined when that is more than `most`. */
function leastChanges(a: Int32Array, b: Int32Array, most: number): number | undefined {
  const limit = Math.min(most, a.length + b.length);
  // The furthest line of `a` reached on each diagonal.
  const furthest = new Int32Array(2 * limit + 3);
  const zero = limit + 1;
  for (let changes = 0; changes <= limit; changes++) {
    for (let k = -changes; k <= changes; k += 2) {
      const isDown = k === -changes || (k !== changes && furthest[zero + k - 1]! < furthest[zero + k + 1]!);
      let x = isDown ? furthest[zero + k + 1]! : furthest[zero + k - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[zero + k] = x;
      if (x >= a.length && x - k >= b.length) return changes;
    }
  }
  return undefined;
}

/**
 * For each point of the plane that a shortest way can pass, by which steps it is reached in the shortest way. `out`: lines
 * taken out in all; row `x` holds the points from `x - out` on.
 */
function fillSteps(a: Int32Array, b: Int32Array, out: number, width: number): Uint8Array {
  const steps = new Uint8Array((a.length + 1) * width);
  const far = a.length + b.length + 1;
  let above = new Int32Array(width + 1).fill(far);
  let row = new Int32Array(width + 1).fill(far);
  for (let x = 0; x <= a.length; x++) {
    for (let column = 0; column < width; column++) {
      const y = x - out + column;
      let least = far;
      let step = 0;
      if (x === 0 && y === 0) least = 0;
      else if (y >= 0 && y <= b.length) {
        const up = x > 0 ? above[column + 1]! + 1 : far;
        const left = y > 0 && column > 0 ? row[column - 1]! + 1 : far;
        const diagonal = x > 0 && y > 0 && a[x - 1] === b[y - 1] ? above[column]! : far;
        least = Math.min(up, left, diagonal);
        if (least < far)
          step = (up === least ? UP : 0) | (left === least ? LEFT : 0) | (diagonal === least ? DIAGONAL : 0);
      }
      row[column] = Math.min(least, far);
      steps[x * width + column] = step;
    }
    [above, row] = [row, above];
    above[width] = far;
    row[width] = far;
  }
  return steps;
}

/** The lines of `b` that those of `a` are, on the shortest way that prefers steps in this order, seen from its end. */
function trace(
  steps: Uint8Array,
  length: number,
  otherLength: number,
  out: number,
  width: number,
  order: readonly number[],
): Int32Array {
  const lines = new Int32Array(length).fill(-1);
  let x = length;
  let y = otherLength;
  while (x > 0 || y > 0) {
    const possible = steps[x * width + (y - x + out)]!;
    const step = order.find((one) => (possible & one) !== 0);
    if (step === DIAGONAL) lines[x - 1] = y - 1;
    if (step !== LEFT) x--;
    if (step !== UP) y--;
  }
  return lines;
}
