import type { SignalNumber } from './constants.ts';

/**
 * What heavy users who are alone show of each signal's value: half of them at most `p50`, all but one in 1,000 at most
 * `p999` (of quiet hours: at least). Simulated, set A, personas with 8 agents, 15 projects and a gateway of their own (`npm run sim -- quantiles`).
 */
export const HEAVY: Record<SignalNumber, { p50: number; p999: number }> = {
  1: { p50: 0, p999: 2 },
  2: { p50: 0, p999: 0 },
  3: { p50: 20, p999: 16 },
  4: { p50: 2, p999: 2 },
  5: { p50: 1, p999: 2 },
  6: { p50: 5, p999: 7 },
  7: { p50: 0, p999: 16_600 },
  8: { p50: 0, p999: 1 },
  9: { p50: 1, p999: 1 },
  10: { p50: 0, p999: 1 },
  11: { p50: 0, p999: 0 },
  12: { p50: 0, p999: 1 },
  13: { p50: 0, p999: 0 },
  14: { p50: 0, p999: 0 },
  15: { p50: 0.32, p999: 0.63 },
  16: { p50: 0, p999: 0 },
};
