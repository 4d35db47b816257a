import { DAILY_CAP_HEADER, FOR_HEADER } from '../../../shared/constants.ts';
import { inCredits } from '../../../shared/money/amounts.ts';
import type { EditorUse } from '../../credits/holds/keyMonths.ts';
import { iso } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import type { AppContext } from '../../platform/http/env.ts';

/** Another extension of the editor, which asks by the editor's session. */
export interface EditorCall extends EditorUse {
  /** For the token log. */
  tool: string;
}

/**
 * What the editor says of the extension that it calls for; null for every other call. An API key has a cap of its own, so
 * these headers count for nothing beside one. Throws if the cap is missing: without one, an extension could spend all.
 */
export function editorCallOf(c: AppContext): EditorCall | null {
  const [given, cap] = [c.req.header(FOR_HEADER), c.req.header(DAILY_CAP_HEADER)];
  // One alone counts: proxies drop empty headers.
  if ((given === undefined && cap === undefined) || c.get('key') !== null) return null;
  if (!/^\d{1,15}$/.test(cap ?? ''))
    throw new AppError(
      'invalid_request',
      `Beside ${FOR_HEADER}, send ${DAILY_CAP_HEADER}: what such calls may cost a day, in whole micro-credits.`,
    );
  const name = (given ?? '').replace(/[^\w. -]/g, '').trim();
  // The longest name that the token log can be filtered by has 60 characters.
  const tool = ['', 'core', 'unknown'].includes(name) ? 'VS Code' : `VS Code: ${name}`.slice(0, 60);
  return { tool, dailyMicro: Number(cap) };
}

/** The refusal of a call that would cost more than other extensions may spend today. */
export function dailyCapReached(
  tool: string,
  { limitMicro, usedMicro, resetsAt }: { limitMicro: number; usedMicro: number; resetsAt: number },
): AppError {
  const left = inCredits(Math.max(0, limitMicro - usedMicro));
  return new AppError(
    'daily_cap_reached',
    `VS Code's own chat and other extensions may spend ${inCredits(limitMicro)} a day. They have ${left} left until ${iso(resetsAt)}, which does not cover this request of ${tool}. Nothing was charged for it. Raise the setting perigee.languageModels.creditsPerDay, or wait.`,
    { retryAt: iso(resetsAt) },
  );
}
