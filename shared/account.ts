// Everywhere `* as z`: of `{ z }`, bundlers keep all of zod, which doubles what the extension loads while the editor starts.
import * as z from 'zod';

export { MICRO_PER_CREDIT } from './constants.ts';

export const MicroSchema = z.int();

/** One sliding window of a plan; empty for accounts without a plan. */
export const WindowSchema = z.object({
  name: z.string().describe('"5 hours" or "7 days"'),
  usedMicro: MicroSchema,
  limitMicro: MicroSchema,
  nextFreeAt: z.iso.datetime().nullable().describe('when the next part frees up; null when nothing is used'),
  nextFreeMicro: MicroSchema,
  allFreeAt: z.iso.datetime().nullable(),
});

/** What is left: the same shape in every answer that carries it. */
export const BalanceSchema = z
  .object({
    availableMicro: MicroSchema.describe('what can be spent now; open holds are already taken off'),
    pendingMicro: MicroSchema.describe('held by running answers; what they do not use returns'),
    ofMicro: MicroSchema.describe('what was available just after the newest grant or purchase: the "of 100"'),
    promotionalMicro: MicroSchema,
    purchasedMicro: MicroSchema,
    guestMessagesLeft: z.int().optional().describe('guests only: messages that availableMicro still buys'),
    unlimited: z.literal(true).optional().describe('local mode: everything is metered, nothing is limited'),
    windows: z.array(WindowSchema),
  })
  .meta({ id: 'Balance' });
export type Balance = z.infer<typeof BalanceSchema>;

/** What a person may still do then: read, export, delete; nothing is answered. */
export const SuspendedSchema = z.object({
  until: z.iso.datetime().nullable().describe('null: until somebody decides otherwise'),
  why: z.string(),
});
export type Suspended = z.infer<typeof SuspendedSchema>;

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
    suspended: SuspendedSchema.optional(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Account' });
export type Account = z.infer<typeof AccountSchema>;

export const LimitsSchema = z.object({
  maxInputTokens: z.int().optional().describe('the most one request of this account may send to a model'),
  maxOutputTokens: z.int().optional().describe('the longest answer this account gets'),
});

/** Something the account's owner must be told, such as a change of terms. */
export const NoticeSchema = z.object({ id: z.string(), kind: z.string(), text: z.string(), at: z.iso.datetime() });

export const AccountAnswerSchema = z
  .object({ account: AccountSchema, balance: BalanceSchema, limits: LimitsSchema, notices: z.array(NoticeSchema) })
  .meta({ id: 'AccountAnswer' });
export type AccountAnswer = z.infer<typeof AccountAnswerSchema>;

export const GuestAnswerSchema = z
  .object({ token: z.string().describe('shown once; send it as `Authorization: Bearer`'), account: AccountSchema })
  .meta({ id: 'GuestAnswer' });
export type GuestAnswer = z.infer<typeof GuestAnswerSchema>;

/**
 * `GET /api/account/events`, SSE event `change`: something changed, fetch it afresh. `id` is the account's for `balance`,
 * `account` and `sessions`, the conversation's for `conversation`, where it is empty if any of them may have changed.
 */
export const TopicSchema = z.enum(['balance', 'account', 'conversation', 'sessions']);
export type Topic = z.infer<typeof TopicSchema>;
export const ChangeSchema = z.object({ topic: TopicSchema, id: z.string() }).meta({ id: 'Change' });
export type Change = z.infer<typeof ChangeSchema>;
