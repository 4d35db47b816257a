// Contract values without zod, for code that must stay small (webviews). The schema files re-export them.

/** 1 credit = 1,000,000 micro-credits. All amounts on the wire are integers of micro-credits. */
export const MICRO_PER_CREDIT = 1_000_000;

/** Below this share of the whole, the meter turns yellow and the page says that little is left. */
export const LOW_SHARE = 0.2;

/** The longest text that is accepted, in UTF-16 units. */
export const MAX_TEXT = 1_000_000;

/** How much of an answer's thoughts is kept, in UTF-16 units: their beginning. */
export const MAX_THINKING = 200_000;

/** The most attachments of one message. */
export const MAX_ATTACHMENTS = 50;
/** The most instructions of a proposal that go along when it is changed once more. */
export const MAX_EARLIER = 20;

/** How many instructions one request has at most, and how many bytes of UTF-8 the editor sends of all of them. */
export const MAX_INSTRUCTIONS = 20;
export const MAX_INSTRUCTION_BYTES = 32 * 1024;

/**
 * Every class of answer that costs less than its price. Any other answer is charged.
 * - `reason`: the sentence that users read.
 * - `charged`: `nothing` from the beginning; refunded in full; or no more than the hold.
 * - `cap`: limits classes that a user could cause on purpose. `uncharged`: after too many in some minutes the account has
 *   to wait. `daily`: a limited number is refunded in 24 hours. Null: only the house can cause it, or it costs nobody.
 */
export const REFUND_CLASSES = {
  request_refused: {
    reason: 'The model service refused the request. Not charged.',
    charged: 'nothing',
    cap: null,
  },
  upstream_failed: { reason: 'The model service failed. Not charged.', charged: 'nothing', cap: 'uncharged' },
  our_failure: { reason: 'Perigee failed. Not charged.', charged: 'nothing', cap: 'uncharged' },
  interrupted: {
    reason: 'The server stopped in the middle of the answer. Not charged.',
    charged: 'nothing',
    cap: null,
  },
  stopped_before_output: {
    reason: 'Stopped before anything was written. Not charged.',
    charged: 'nothing',
    cap: 'uncharged',
  },
  empty_answer: { reason: 'The model wrote nothing. Not charged.', charged: 'nothing', cap: 'uncharged' },
  nothing_applied: {
    reason: 'No part of the edit could be applied. Not charged.',
    charged: 'refunded',
    cap: 'daily',
  },
  beyond_hold: {
    reason: 'The answer cost more than was set aside. You do not pay the rest.',
    charged: 'hold',
    cap: null,
  },
} as const satisfies Record<
  string,
  { reason: string; charged: 'nothing' | 'refunded' | 'hold'; cap: 'uncharged' | 'daily' | null }
>;

type Classes = typeof REFUND_CLASSES;
/** The classes that are never charged. */
export type FreeReason = {
  [C in keyof Classes]: Classes[C]['charged'] extends 'nothing' ? C : never;
}[keyof Classes];

/** Why nothing, or less, was charged. The sentences are for users. */
export const REASONS = Object.fromEntries(
  Object.entries(REFUND_CLASSES).map(([code, { reason }]) => [code, reason]),
) as { [C in keyof Classes]: string };

/** Why reporting an edit's outcome refunded nothing. The sentences are for users. */
export const NOT_REFUNDED = {
  applied: 'Part of the edit could be applied: it is charged.',
  not_complete: 'The answer did not finish: the written part is charged.',
  not_charged: 'Nothing was charged for it.',
  late: 'Nothing could be applied, but the refund came too late: an edit is refunded only soon after its end.',
  daily_limit: 'Nothing could be applied, but the daily limit of refunds is reached: the edit stays charged.',
} as const;

/** The grant types for a device code (RFC 8628) and for the token of local mode. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const LOCAL_GRANT = 'urn:perigee:grant-type:local';

/**
 * Headers by which the editor names, beside a call under `/v1` with its session's token, the extension that asks (`core`:
 * the editor itself; `unknown`: it does not say), and what all such calls of the account may cost a day (UTC), in
 * micro-credits. Never empty: proxies drop empty headers.
 */
export const FOR_HEADER = 'perigee-for';
export const DAILY_CAP_HEADER = 'perigee-daily-cap';

/** The longest name of an API key, in UTF-16 units. */
export const MAX_KEY_NAME = 60;

/** The longest address of a web page that is read, in characters. */
export const MAX_ADDRESS = 2_000;
