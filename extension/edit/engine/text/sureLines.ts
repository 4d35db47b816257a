/** The most cells of the two tables that one comparison may fill: some tenths of a second. */
const MAX_CELLS = 40_000_000;
/** Edit scripts up to this many lines longer than the shortest are considered, too. Even. */
const SLACK = 8;

/** Replaces each line by a number; equal lines, in both texts, get the same number. */
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

/** The line's number in the other text; `gone`: it was removed; `unclear`: there is more than one possibility. */
export type Whereabouts = number | 'gone' | 'unclear';

/**
 * Where the lines `wanted` of `a`, in order, are in `b`, if all shortest edit scripts from `a` to `b` agree and
 * slightly longer ones don't contradict. Undefined if the texts differ too much for an answer in reasonable time.
 */
export function sureLines(
  a: Int32Array,
  b: Int32Array,
  wanted: readonly number[],
): Map<number, Whereabouts> | undefined {
  const most = Math.floor(MAX_CELLS / 2 / (a.length + 1)) - SLACK;
  const apart = leastChanges(a, b, most);
  if (apart === undefined) return undefined;
  const plane = new Plane(a, b, apart);
  const found = new Map<number, Whereabouts>();
  const rows = new Map<number, Int32Array>();
  const isWanted = new Set(wanted);
  plane.forward((x, row) => {
    if (isWanted.has(x)) rows.set(x, row.slice());
  });
  plane.backward((x, row) => {
    const before = rows.get(x - 1);
    if (before) found.set(x - 1, plane.whereabouts(x - 1, before, row));
  });
  return found;
}

/** The length of the shortest edit script (Myers 1986); undefined if it is more than `most`. */
function leastChanges(a: Int32Array, b: Int32Array, most: number): number | undefined {
  const limit = Math.min(most, a.length + b.length);
  // The furthest line of `a` reached on each diagonal.
  const furthest = new Int32Array(2 * Math.max(0, limit) + 3);
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
 * All points (`x` lines of `a` done, `y` lines of `b` written) on an edit script of at most `apart + SLACK` changes. A
 * row holds the points of one `x`, from `y = x - out` on.
 */
class Plane {
  private readonly out: number;
  private readonly width: number;
  private readonly far: number;

  constructor(
    private readonly a: Int32Array,
    private readonly b: Int32Array,
    private readonly apart: number,
  ) {
    this.out = (apart + SLACK + a.length - b.length) / 2;
    this.width = apart + SLACK + 1;
    this.far = a.length + b.length + SLACK + 1;
  }

  /** Calls `tell` for each row with the changes needed from the beginning to its points. */
  forward(tell: (x: number, row: Int32Array) => void): void {
    const { a, b, out, width, far } = this;
    let above = new Int32Array(width + 1).fill(far);
    let row = new Int32Array(width + 1).fill(far);
    for (let x = 0; x <= a.length; x++) {
      for (let column = 0; column < width; column++) {
        const y = x - out + column;
        let least = far;
        if (x === 0 && y === 0) least = 0;
        else if (y >= 0 && y <= b.length) {
          least = above[column + 1]! + 1;
          if (y > 0 && column > 0 && row[column - 1]! + 1 < least) least = row[column - 1]! + 1;
          if (x > 0 && y > 0 && a[x - 1] === b[y - 1] && above[column]! < least) least = above[column]!;
        }
        row[column] = least < far ? least : far;
      }
      tell(x, row);
      [above, row] = [row, above];
    }
  }

  /** Calls `tell` for each row, last first, with the changes needed from its points to the end. */
  backward(tell: (x: number, row: Int32Array) => void): void {
    const { a, b, out, width, far } = this;
    // Shifted by one, to make room for the column before the first.
    let below = new Int32Array(width + 1).fill(far);
    let row = new Int32Array(width + 1).fill(far);
    for (let x = a.length; x >= 0; x--) {
      for (let column = width - 1; column >= 0; column--) {
        const y = x - out + column;
        let least = far;
        if (x === a.length && y === b.length) least = 0;
        else if (y >= 0 && y <= b.length) {
          least = column > 0 ? below[column - 1]! + 1 : far;
          if (y < b.length && column + 1 < width && row[column + 1]! + 1 < least) least = row[column + 1]! + 1;
          if (x < a.length && y < b.length && a[x] === b[y] && below[column]! < least) least = below[column]!;
        }
        row[column] = least < far ? least : far;
      }
      tell(x, row);
      [below, row] = [row, below];
    }
  }

  /** Where line `x` is, from the changes needed before it and after it. */
  whereabouts(x: number, before: Int32Array, behind: Int32Array): Whereabouts {
    const { a, b, out, width, apart } = this;
    let found: Whereabouts = 'gone';
    let isShortest = false;
    let isGone = false;
    for (let column = 0; column < width; column++) {
      const y = x - out + column;
      if (y < 0 || y > b.length) continue;
      const kept = before[column]! + behind[column]!;
      if (y < b.length && a[x] === b[y] && kept <= apart + SLACK) {
        if (found !== 'gone') return 'unclear';
        found = y;
        isShortest = kept === apart;
      }
      // If the line is removed, the row below has the same `y`: one column to the left.
      if (column > 0 && before[column]! + 1 + behind[column - 1]! === apart) isGone = true;
    }
    return found === 'gone' || (isShortest && !isGone) ? found : 'unclear';
  }
}
