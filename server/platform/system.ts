import { randomBytes } from 'node:crypto';
import { timeOrderedId } from '../../shared/ids.ts';
import type { Clock, Ids } from './clock.ts';

/** The real clock and the real randomness. Only entry points pass them in. */
export const systemClock: Clock = { now: () => Date.now() };

export const systemIds: Ids = {
  next: () => timeOrderedId(),
  secret: () => randomBytes(32).toString('base64url'),
};
