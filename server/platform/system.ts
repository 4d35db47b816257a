import { randomBytes } from 'node:crypto';
import { timeOrderedId } from '../../shared/ids.ts';
import type { Clock, Ids } from './clock.ts';

/** The real clock and the real randomness. Only entry points pass them in. */
export const systemClock: Clock = { now: () => Date.now() };

/** Ids that begin with the time of `clock`. */
export const idsBy = (clock: Clock): Ids => ({
  next: () => timeOrderedId(clock.now()),
  secret: () => randomBytes(32).toString('base64url'),
});

export const systemIds: Ids = idsBy(systemClock);
