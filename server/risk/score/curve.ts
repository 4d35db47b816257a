import type { Curve } from './constants.ts';

/** The value of a curve of straight lines, level beyond its ends. */
export function along(curve: Curve, value: number): number {
  const [first] = curve;
  if (!first || value <= first[0]) return first?.[1] ?? 0;
  for (let i = 1; i < curve.length; i++) {
    const [x, y] = curve[i]!;
    const [x0, y0] = curve[i - 1]!;
    if (value <= x) return y0 + ((y - y0) * (value - x0)) / (x - x0);
  }
  return curve.at(-1)![1];
}
