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

/** Why what was told of an edit brought nothing back. The sentence is for users. */
export const NOT_REFUNDED = {
  applied: 'Part of the edit could be applied: it is charged.',
  not_complete: 'The answer did not come to its end: what was written is charged.',
  not_charged: 'Nothing was charged for it.',
  late: 'Nothing could be applied, but that was told too long after the answer: it stays charged.',
  daily_limit: 'Nothing could be applied, but as many edits as may be were refunded today: it stays charged.',
} as const;

/** What a device code is exchanged by (RFC 8628), and the token of the single user of a machine. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const LOCAL_GRANT = 'urn:perigee:grant-type:local';
