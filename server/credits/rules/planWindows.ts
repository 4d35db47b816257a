import type { Balance } from '../../../shared/account.ts';

const HOUR_MS = 3_600_000;

/** The limit on a plan's use in any `hours` hours. */
export interface PlanWindow {
  name: string;
  hours: number;
  limitMicro: number;
}

/** The use in a window, and when its oldest and newest use began. `firstMicro` is the amount of the oldest. */
export interface WindowUse {
  usedMicro: number;
  firstAt: number | null;
  firstMicro: number;
  lastAt: number | null;
}

/** A window as its owner sees it, plus its remaining room. */
export type WindowState = Balance['windows'][number] & { leftMicro: number };

/** Uses after this instant count at `now`: a use exactly one window ago has just become free. */
export const windowStart = (window: PlanWindow, now: number): number => now - window.hours * HOUR_MS;

/** A window's state. `leftMicro` is never negative, even if the limit was lowered. */
export function windowState(window: PlanWindow, use: WindowUse): WindowState {
  const freeAt = (at: number | null) => (at === null ? null : new Date(at + window.hours * HOUR_MS).toISOString());
  return {
    name: window.name,
    usedMicro: use.usedMicro,
    limitMicro: window.limitMicro,
    nextFreeAt: freeAt(use.firstAt),
    nextFreeMicro: use.firstMicro,
    allFreeAt: freeAt(use.lastAt),
    leftMicro: Math.max(0, window.limitMicro - use.usedMicro),
  };
}

/** The window with the least room, which is the plan's room. Undefined without a plan. */
export function tightestOf(windows: readonly WindowState[]): WindowState | undefined {
  return windows.toSorted((a, b) => a.leftMicro - b.leftMicro)[0];
}
