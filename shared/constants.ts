// Values of the contracts without zod, for code that must stay small (web views). The schemas' own files re-export them.

/** 1 credit = 1,000,000 micro-credits. All amounts on the wire are integers of micro-credits. */
export const MICRO_PER_CREDIT = 1_000_000;

/** Longest text taken, in UTF-16 units. */
export const MAX_TEXT = 1_000_000;

/** Why nothing, or less, was charged. The sentence is for users. */
export const REASONS = {
  upstream_failed: 'The model service failed. Not charged.',
  our_failure: 'Perigee failed. Not charged.',
  interrupted: 'The server stopped in the middle of the answer. Not charged.',
  stopped_before_output: 'Stopped before anything was written. Not charged.',
  empty_answer: 'The model wrote nothing. Not charged.',
  nothing_applied: 'No part of the edit could be applied. Not charged.',
  beyond_hold: 'The answer cost more than was set aside; the rest is on the house.',
} as const;
