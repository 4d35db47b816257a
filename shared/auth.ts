import * as z from 'zod';
import { AccountSchema, MicroSchema } from './account.ts';
import { DEVICE_GRANT, LOCAL_GRANT } from './constants.ts';
import { nameSchema } from './texts.ts';

/** A way to sign in here: a provider, such as "google", or one of the editor's own ways. */
export const ProviderIdSchema = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits and hyphens');

/** `GET /api/auth/options`, without a token: the configured ways to sign in. */
export const SignInOptionsSchema = z
  .object({
    providers: z
      .array(z.object({ id: ProviderIdSchema, name: z.string() }))
      .describe('to be named in the sign-in address as `provider`; empty: none'),
    email: z.boolean().describe('by a one-time code sent to an email address'),
    device: z.boolean().describe('by a code typed in another browser (RFC 8628)'),
    local: z.boolean().describe('the single user of this machine, with the token that the start hands to the editor'),
    guests: z.boolean().describe('without signing in'),
    bonusMicro: MicroSchema.describe('what a new account gets'),
    smallestAge: z.int(),
    terms: z.object({ version: z.string(), url: z.url().optional() }),
  })
  .meta({ id: 'SignInOptions' });
export type SignInOptions = z.infer<typeof SignInOptionsSchema>;

/** A device's name, for the owner's list of sessions and for "answering on …". */
const deviceFields = {
  device_name: nameSchema(60).describe('such as "Ada’s laptop"'),
  tool: nameSchema(60).describe('such as "Visual Studio Code"'),
};

/** 43 characters of base64url: the SHA-256 of a `code_verifier` (RFC 7636, S256). */
export const CodeChallengeSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'a SHA-256 in base64url');
export const CodeVerifierSchema = z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/, '43 to 128 unreserved characters');

/**
 * The query of `GET /sign-in`, which the editor opens in a browser. The sign-in ends on a page that opens `callback`
 * with `code` and `state`, or `error` and `state`, added to its query. Without `callback` the browser itself is signed
 * in.
 */
export const SignInQuerySchema = z.object({
  callback: z
    .url()
    .max(2000)
    .describe('what asExternalUri gave, unaltered, or that in base64url; its scheme or address must be allowed here'),
  state: z.string().min(8).max(200).describe('random; the editor takes no callback without it'),
  code_challenge: CodeChallengeSchema,
  code_challenge_method: z.literal('S256'),
  ...deviceFields,
  provider: ProviderIdSchema.optional().describe('skips the page on which one chooses'),
});
export type SignInQuery = z.infer<typeof SignInQuerySchema>;

export { DEVICE_GRANT, LOCAL_GRANT };

const guestField = {
  guest_token: z.string().max(200).optional().describe('what this guest has moves to the account; the guest ends'),
};

/** `POST /api/auth/token`, with a `DPoP` header: the new token is bound to the key of that proof. */
export const TokenRequestSchema = z
  .discriminatedUnion('grant_type', [
    z.object({
      grant_type: z.literal('authorization_code'),
      code: z.string().max(200),
      code_verifier: CodeVerifierSchema,
      ...guestField,
    }),
    z.object({ grant_type: z.literal(DEVICE_GRANT), device_code: z.string().max(200), ...guestField }),
    z.object({ grant_type: z.literal(LOCAL_GRANT), local_token: z.string().max(200), ...deviceFields, ...guestField }),
  ])
  .meta({ id: 'TokenRequest' });
export type TokenRequest = z.infer<typeof TokenRequestSchema>;

/** What happened to the guest whose token was sent. */
export const MergedSchema = z.object({
  conversations: z.int().describe('how many moved to the account'),
  allowanceMicro: MicroSchema.describe(
    'what was left of the allowance and moved; 0 if another guest brought one before',
  ),
});
export type Merged = z.infer<typeof MergedSchema>;

/** Answers `POST /api/auth/token` and `POST /api/auth/refresh`. After a refresh the old one lives 10 minutes more. */
export const TokenAnswerSchema = z
  .object({
    access_token: z.string().describe('shown once; send it as `Authorization: DPoP`, with a proof of the key'),
    token_type: z.literal('DPoP'),
    expires_in: z.int().describe('seconds; refresh it when less than half of them is left'),
    account: AccountSchema,
    merged: MergedSchema.optional(),
  })
  .meta({ id: 'TokenAnswer' });
export type TokenAnswer = z.infer<typeof TokenAnswerSchema>;

/** `POST /api/auth/device`, with a `DPoP` header: only that key can redeem the device code. */
export const DeviceRequestSchema = z.object(deviceFields).meta({ id: 'DeviceRequest' });
export type DeviceRequest = z.infer<typeof DeviceRequestSchema>;

/** RFC 8628, 3.2. */
export const DeviceAnswerSchema = z
  .object({
    device_code: z.string(),
    user_code: z.string().describe('to be typed, such as "WDJB-MJHT"'),
    verification_uri: z.url(),
    verification_uri_complete: z.url(),
    expires_in: z.int().describe('seconds'),
    interval: z.int().describe('seconds to wait between two requests; 5 more after each `slow_down`'),
  })
  .meta({ id: 'DeviceAnswer' });
export type DeviceAnswer = z.infer<typeof DeviceAnswerSchema>;

/** One signed-in device, tool or browser. */
export const SessionSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(['guest', 'device', 'page', 'local']),
    name: z.string(),
    tool: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().describe('to the minute'),
    current: z.boolean().describe('the one that asks'),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof SessionSchema>;

/** `GET /api/sessions`, last used first. `DELETE /api/sessions/:id` ends one, and its streams within a second. */
export const SessionsAnswerSchema = z.object({ sessions: z.array(SessionSchema) }).meta({ id: 'SessionsAnswer' });
export type SessionsAnswer = z.infer<typeof SessionsAnswerSchema>;

/**
 * `POST /api/auth/page-code`: opens the member's page signed in, at the server's `/account#code=<code>`. Browsers never
 * send the fragment; after a click the page exchanges the code by `POST /api/auth/page`.
 */
export const PageCodeAnswerSchema = z
  .object({ code: z.string().describe('single use'), expires_in: z.int().describe('seconds') })
  .meta({ id: 'PageCodeAnswer' });
export type PageCodeAnswer = z.infer<typeof PageCodeAnswerSchema>;

/**
 * `POST /api/auth/page`, only from the server's own pages. With `confirm: false` it names the code's account and keeps
 * the code. With true it signs the browser in by a cookie and ends the browser's previous session.
 */
export const PageRequestSchema = z.object({ code: z.string().max(200), confirm: z.boolean() });
export type PageRequest = z.infer<typeof PageRequestSchema>;
export const PageAnswerSchema = z
  .object({
    account: AccountSchema,
    replaces: AccountSchema.optional().describe('who is signed in in this browser now, if it is somebody else'),
  })
  .meta({ id: 'PageAnswer' });
export type PageAnswer = z.infer<typeof PageAnswerSchema>;
