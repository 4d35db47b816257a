// Import zod as `* as z` everywhere: with `{ z }`, bundlers keep all of zod, which doubles the code that the extension
// loads at the editor's start.
import * as z from 'zod';

import { nameSchema } from './texts.ts';

export { MICRO_PER_CREDIT } from './constants.ts';

export const MicroSchema = z.int();

/** One sliding window of a plan. Accounts without a plan have none. */
export const WindowSchema = z.object({
  name: z.string().describe('"5 hours" or "7 days"'),
  usedMicro: MicroSchema,
  limitMicro: MicroSchema,
  nextFreeAt: z.iso.datetime().nullable().describe('when the next part frees up; null when nothing is used'),
  nextFreeMicro: MicroSchema,
  allFreeAt: z.iso.datetime().nullable(),
});

/** An account's balance, with the same shape in every answer. */
export const BalanceSchema = z
  .object({
    availableMicro: MicroSchema.describe('what can be spent now; open holds are already taken off'),
    pendingMicro: MicroSchema.describe('held by running answers; what they do not use returns'),
    ofMicro: MicroSchema.describe(
      'what was available just after the newest grant or purchase, less what was reset since: the "of 100"',
    ),
    promotionalMicro: MicroSchema,
    purchasedMicro: MicroSchema,
    guestMessagesLeft: z.int().optional().describe('guests only: messages that availableMicro still buys'),
    unlimited: z.literal(true).optional().describe('local mode: everything is metered, nothing is limited'),
    windows: z.array(WindowSchema),
  })
  .meta({ id: 'Balance' });
export type Balance = z.infer<typeof BalanceSchema>;

/** Set for a suspended account. Its owner can still read, export and delete, but gets no answers. */
export const SuspendedSchema = z.object({
  since: z.iso.datetime(),
  until: z.iso.datetime().nullable().describe('null: until somebody decides otherwise'),
  why: z.string(),
});
export type Suspended = z.infer<typeof SuspendedSchema>;

/**
 * Set for an account that its owner closed. It can still be read and exported but gets no answers; until `goneAt` the
 * owner can restore it.
 */
export const ClosingSchema = z.object({ since: z.iso.datetime(), goneAt: z.iso.datetime() });
export type Closing = z.infer<typeof ClosingSchema>;

export const AccountSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(['guest', 'member']),
    name: z.string().optional(),
    email: z.string().optional(),
    providers: z
      .array(z.string())
      .optional()
      .describe('members: how one can sign in to it, such as "google" or "email"'),
    tier: z.int().nonnegative().optional().describe('members: which limits apply'),
    marketing: z.boolean().optional().describe('members: whether news may be mailed'),
    termsDue: z.string().optional().describe('the version of the terms to accept: nothing is answered before that'),
    closing: ClosingSchema.optional(),
    suspended: SuspendedSchema.optional(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Account' });
export type Account = z.infer<typeof AccountSchema>;

export const LimitsSchema = z.object({
  maxInputTokens: z.int().optional().describe('the most one request of this account may send to a model'),
  maxOutputTokens: z.int().optional().describe('the longest answer this account gets'),
  requestsPerMinute: z.int().optional().describe('model calls in any minute; refused ones and reads do not count'),
  modelRequestsPerMinute: z.int().optional().describe('the same, of one model'),
  tokensPerMinute: z.int().optional().describe('input and output tokens in any minute'),
  pagesPerHour: z.int().optional().describe('web pages that the server reads for this account; absent: it reads none'),
});

/** A notice to the account's owner. Its `id` stays the same as long as its subject does. */
export const NoticeSchema = z.object({
  id: z.string(),
  kind: z
    .enum(['suspended', 'closing', 'terms', 'price', 'operator', 'client', 'decision'])
    .describe(
      'operator: what the operator tells everybody, such as an incident; client: a tool of the owner contradicts itself; decision: a person asks or has decided something about the account; clients ignore kinds they do not know',
    ),
  text: z.string().describe('whole sentences: what it is, and what can be done'),
  at: z.iso.datetime(),
  until: z.iso.datetime().optional().describe('when it is over by itself; read the account afresh then'),
});
export type Notice = z.infer<typeof NoticeSchema>;

const isKnownKind = (notice: unknown) =>
  NoticeSchema.shape.kind.safeParse((notice as { kind?: unknown } | null)?.kind).success;

/** A newer server may send kinds that this client does not know. The client skips those and reads the rest. */
const NoticesSchema = z.preprocess(
  (notices) => (Array.isArray(notices) ? notices.filter(isKnownKind) : notices),
  z.array(NoticeSchema),
);

export const AccountAnswerSchema = z
  .object({ account: AccountSchema, balance: BalanceSchema, limits: LimitsSchema, notices: NoticesSchema })
  .meta({ id: 'AccountAnswer' });
export type AccountAnswer = z.infer<typeof AccountAnswerSchema>;

/** `PATCH /api/account`: the owner's changes. Answers with the changed account. */
export const ProfilePatchSchema = z
  .strictObject({
    name: nameSchema(100).optional(),
    marketing: z.boolean().optional().describe('whether news may be mailed'),
  })
  .meta({ id: 'ProfilePatch' });
export type ProfilePatch = z.infer<typeof ProfilePatchSchema>;

const emailField = { email: z.string().trim().min(3).max(320) };

/** `POST /api/account/email`: mails a code to the address that the account is to get. */
export const EmailRequestSchema = z.strictObject(emailField);
/** `POST /api/account/email/confirm`: with that code the address becomes the account's, and can be used to sign in. */
export const EmailConfirmSchema = z.strictObject({ ...emailField, code: z.string().trim().min(6).max(12) });

/** `POST /api/account/terms`: accepts the terms, and confirms the age that they require. */
export const TermsRequestSchema = z.strictObject({ version: z.string().max(100) });

/** `POST /api/account/closing` closes the account, which is deleted at `goneAt`; `DELETE` restores it. */
export const ClosingAnswerSchema = ClosingSchema.meta({ id: 'ClosingAnswer' });

export const GuestAnswerSchema = z
  .object({ token: z.string().describe('shown once; send it as `Authorization: Bearer`'), account: AccountSchema })
  .meta({ id: 'GuestAnswer' });
export type GuestAnswer = z.infer<typeof GuestAnswerSchema>;

/**
 * `GET /api/account/events`, SSE event `change`: fetch the changed thing again. `id` is the account's for `balance`,
 * `account`, `sessions` and `keys`, and the conversation's for `conversation`: empty if any of them may have changed.
 */
export const TopicSchema = z.enum(['balance', 'account', 'conversation', 'sessions', 'keys']);
export type Topic = z.infer<typeof TopicSchema>;
export const ChangeSchema = z.object({ topic: TopicSchema, id: z.string() }).meta({ id: 'Change' });
export type Change = z.infer<typeof ChangeSchema>;
