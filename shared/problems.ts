import * as z from 'zod';
import { fitting } from './fitting.ts';

/**
 * Every refusal of Perigee, by code. `status` is the HTTP status; `title` says briefly what was wrong. What to do about
 * it is in the problem's `detail`, which each refusal writes for its case.
 */
export const PROBLEMS = {
  invalid_json: { status: 400, title: 'The request is not valid JSON' },
  invalid_request: { status: 400, title: 'The request does not fit its contract' },
  request_refused: { status: 400, title: 'The model service refused the request' },
  authorization_pending: { status: 400, title: 'Nobody has approved this device yet' },
  slow_down: { status: 400, title: 'Asked too often' },
  expired_token: { status: 400, title: 'The sign-in has expired' },
  access_denied: { status: 400, title: 'The sign-in was declined' },
  invalid_grant: { status: 400, title: 'This code is not valid any more' },
  wrong_signature: { status: 400, title: 'The signature is not valid' },
  key_in_address: { status: 400, title: 'The address contains an API key' },
  unauthorized: { status: 401, title: 'Not signed in' },
  invalid_dpop_proof: { status: 401, title: 'The proof of the key is not valid' },
  key_mistyped: { status: 401, title: 'The API key is mistyped' },
  key_unknown: { status: 401, title: 'The API key is unknown' },
  key_revoked: { status: 401, title: 'The API key was revoked' },
  key_expired: { status: 401, title: 'The API key has expired' },
  insufficient_credits: { status: 402, title: 'Not enough credits' },
  key_spent: { status: 402, title: 'The API key has spent its credits of this month' },
  daily_cap_reached: { status: 402, title: 'Other extensions have spent what they may today' },
  guests_disabled: { status: 403, title: 'Guests are not admitted here' },
  key_elsewhere: { status: 403, title: 'API keys are not accepted here' },
  members_only: { status: 403, title: 'Not for guests' },
  terms_changed: { status: 403, title: 'The terms have changed' },
  account_closing: { status: 403, title: 'This account is closing' },
  second_factor_required: { status: 403, title: 'The desk is closed' },
  setup_code_wrong: { status: 403, title: 'The setup code is not valid' },
  code_wrong: { status: 403, title: 'The code is not right' },
  own_case: { status: 403, title: 'Nobody decides their own case' },
  own_decision: { status: 403, title: 'Nobody hears an appeal against themselves' },
  suspended: { status: 403, title: 'This account is suspended' },
  foreign_page: { status: 403, title: 'The request comes from another site' },
  not_for_sale: { status: 404, title: 'Nothing is sold here' },
  not_offered: { status: 404, title: 'This is not offered here' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Not with this method' },
  conversation_busy: { status: 409, title: 'This conversation is already answering' },
  run_id_reused: { status: 409, title: 'This run id was used for another request' },
  nothing_to_continue: { status: 409, title: 'There is nothing to continue' },
  nothing_to_compact: { status: 409, title: 'There is nothing to compact' },
  nothing_to_repair: { status: 409, title: 'There is nothing to repair' },
  already_repaired: { status: 409, title: 'This edit was repaired already' },
  outcome_already_told: { status: 409, title: 'The outcome of this run is known already' },
  email_taken: { status: 409, title: 'This address belongs to another account' },
  too_many_keys: { status: 409, title: 'No more API keys' },
  plan_active: { status: 409, title: 'You have a plan already' },
  no_plan: { status: 409, title: 'You have no plan' },
  promotion_closed: { status: 409, title: 'This promotion is not open' },
  promotion_claimed: { status: 409, title: 'You have used this code' },
  already_decided: { status: 409, title: 'Somebody else has decided this' },
  not_to_decide: { status: 409, title: 'This cannot be decided here' },
  appeal_closed: { status: 409, title: 'There is no appeal to make' },
  too_many_pictures: { status: 409, title: 'No more pictures' },
  payload_too_large: { status: 413, title: 'The request is too large' },
  context_too_long: { status: 413, title: 'More text than the model can read' },
  unsupported_encoding: { status: 415, title: 'The body is compressed in an unknown way' },
  address_refused: { status: 422, title: 'This address is not read' },
  // Of a page of the web: no failure of this server, and nothing of it is logged.
  page_failed: { status: 422, title: 'The page was not given out' },
  page_unreachable: { status: 422, title: 'The page cannot be reached' },
  page_too_slow: { status: 422, title: 'The page takes too long' },
  page_not_text: { status: 422, title: 'The page cannot be read as text' },
  page_too_large: { status: 422, title: 'The page is too large' },
  picture_unreadable: { status: 422, title: 'This is no picture that can be used' },
  wrong_host: { status: 421, title: 'This server has another address' },
  offer_unknown: { status: 422, title: 'This is not sold here' },
  no_vision: { status: 422, title: 'This model reads no pictures' },
  model_unknown: { status: 422, title: 'There is no such model here' },
  effort_unknown: { status: 422, title: 'The model cannot be asked to think that way' },
  code_unknown: { status: 422, title: 'There is no such code here' },
  too_many_guests: { status: 429, title: 'Too many new guests' },
  too_many_attempts: { status: 429, title: 'Too many attempts' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'The server made a mistake' },
  upstream_failed: { status: 502, title: 'The model service failed' },
  upstream_malformed: { status: 502, title: 'The model service sent something unreadable' },
  upstream_refused: { status: 502, title: 'The model service refused the request' },
  upstream_unreachable: { status: 502, title: 'The model service cannot be reached' },
  payment_service_failed: { status: 502, title: 'The payment service failed' },
  requests_too_slow: { status: 503, title: 'Searching the requests took too long' },
  search_too_slow: { status: 503, title: 'The search took too long' },
  usage_too_slow: { status: 503, title: 'Summing up took too long' },
  upstream_busy: { status: 503, title: 'The model service is busy' },
  shutting_down: { status: 503, title: 'The server is restarting' },
  unavailable: { status: 503, title: 'The database cannot be reached' },
  upstream_timeout: { status: 504, title: 'The model service did not answer in time' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;
export const ProblemCodeSchema = z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]);

/** What can be dropped from a request that is too long, largest first. `tokens` are estimates. */
export const DropSchema = z.object({ what: z.string(), tokens: z.int() });
export type Drop = z.infer<typeof DropSchema>;

/** The limited things: requests, requests of one model, tokens, uncharged answers, searches. */
export const LimitNameSchema = z.enum(['requests', 'model-requests', 'tokens', 'uncharged', 'searches']);
export type LimitName = z.infer<typeof LimitNameSchema>;

/** The limit that refused a request. All numbers are per `windowSeconds`. */
export const LimitSchema = z.object({
  name: LimitNameSchema,
  limit: z.int(),
  left: z.int(),
  needed: z.int().describe('what this request counts for'),
  windowSeconds: z.int(),
});

/** An RFC 9457 problem, served as `application/problem+json`. The members after `requestId` are optional. */
export const ProblemSchema = z
  .object({
    type: z.string().describe('a URI reference that identifies the kind of problem'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('what was wrong here and what to do about it'),
    code: ProblemCodeSchema,
    requestId: z.string(),
    retryAt: z.iso.datetime().optional().describe('when another try makes sense'),
    limit: LimitSchema.optional().describe('rate_limited: which limit; retryAt says when it has room'),
    error: z
      .string()
      .optional()
      .describe('POST /api/auth/token: the code once more, where RFC 6749 looks for it; key_elsewhere: the detail'),
    until: z.iso.datetime().nullable().optional().describe('suspended: until when; null: until somebody decides'),
    runId: z.uuid().optional().describe('conversation_busy: the run that is answering'),
    availableMicro: z.int().optional().describe('insufficient_credits: what is left'),
    neededMicro: z.int().optional().describe('insufficient_credits: what this request may cost at most'),
    limitTokens: z.int().optional().describe('context_too_long: what the model can read'),
    promptTokens: z.int().optional().describe('context_too_long: about what was sent, if it is known'),
    drop: z.array(DropSchema).optional().describe('context_too_long: what to drop, largest first'),
    compactable: z
      .literal(true)
      .optional()
      .describe('context_too_long: without the messages so far it would fit, so a summary of them makes room'),
    issues: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('invalid_request: each place that does not fit'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof ProblemSchema>;

/** Reads a problem that was stored or made by another version. Members that don't fit are left out; it never fails. */
export function mendProblem(given: unknown): Problem {
  const parsed = ProblemSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const fits = fitting(ProblemSchema.shape, given);
  const code = fits.code ?? 'internal';
  return { type: `urn:perigee:problem:${code}`, detail: '', requestId: '', ...PROBLEMS[code], ...fits, code };
}
