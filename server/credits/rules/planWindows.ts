import type { Balance } from '../../../shared/account.ts';

const HOUR_MS = 3_600_000;

/** How much of a plan can be used in any so many hours. */
export interface PlanWindow {
  name: string;
  hours: number;
  limitMicro: number;
}

/** What was used in a window, and when its oldest and its newest use began; `firstMicro` is what began with the oldest. */
export interface WindowUse {
  usedMicro: number;
  firstAt: number | null;
  firstMicro: number;
  lastAt: number | null;
}

/** A window as its owner sees it, and what it has room for. */
export type WindowState = Balance['windows'][number] & { leftMicro: number };

/** Uses that began later than this count at `now`: what began a whole window ago has just become free. */
export const windowStart = (window: PlanWindow, now: number): number => now - window.hours * HOUR_MS;

/** What a window says; never less than nothing is left, also where the limit is lower than it was. */
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

/** The window with the least room: what a plan has room for. Undefined without a plan. */
export function tightestOf(windows: readonly WindowState[]): WindowState | undefined {
  return windows.toSorted((a, b) => a.leftMicro - b.leftMicro)[0];
}
