import * as z from 'zod';
import { MicroSchema } from './account.ts';
import { ReasonSchema, UsageSchema } from './runs.ts';

/** One line of the token log: a grant, a charge, a run that was not charged and why, or what moved from a guest. */
export const LogEntrySchema = z
  .object({
    id: z.string(),
    kind: z.enum(['grant', 'charge', 'not_charged', 'refund', 'move']),
    amountMicro: MicroSchema.describe('what the balance changed by: charges are negative'),
    balanceMicro: MicroSchema.nullable().describe('posted balance just after; null where nothing moved'),
    reason: z.string().describe('a sentence'),
    reasonCode: ReasonSchema.optional(),
    model: z.string().optional(),
    tool: z.string().optional().describe('the device or tool that asked, as it named itself'),
    runId: z.uuid().optional(),
    conversationId: z.uuid().optional(),
    usage: UsageSchema.optional(),
    at: z.iso.datetime(),
  })
  .meta({ id: 'LogEntry' });
export type LogEntry = z.infer<typeof LogEntrySchema>;

export const LogAnswerSchema = z
  .object({ entries: z.array(LogEntrySchema), before: z.string().nullable() })
  .meta({ id: 'LogAnswer' });
export type LogAnswer = z.infer<typeof LogAnswerSchema>;

/** Which lines of the token log. */
export const LogFilterSchema = z.object({
  kind: LogEntrySchema.shape.kind.optional(),
  model: z.string().max(200).optional(),
  tool: z.string().max(60).optional(),
  conversation: z.uuid().optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional().describe('not included'),
});

export const UsageBySchema = z.enum(['day', 'model', 'tool']);
export type UsageBy = z.infer<typeof UsageBySchema>;

const sums = {
  chargedMicro: MicroSchema.describe('charges less what was refunded of them'),
  runs: z.int(),
  inputTokens: z.int().describe('cached ones included'),
  cachedInputTokens: z.int(),
  outputTokens: z.int(),
};
export const UsageRowSchema = z.object({
  key: z.string().describe('a day (2027-01-31), a model, or a tool; empty for runs that named none'),
  ...sums,
});
export type UsageRow = z.infer<typeof UsageRowSchema>;

/** `GET /api/credits/usage`: what runs cost and used. Days are all there in order, others by cost, the dearest first. */
export const UsageAnswerSchema = z
  .object({
    by: UsageBySchema,
    from: z.iso.datetime(),
    to: z.iso.datetime().describe('not included'),
    zone: z.string(),
    rows: z.array(UsageRowSchema),
    total: z.object(sums),
  })
  .meta({ id: 'UsageAnswer' });
export type UsageAnswer = z.infer<typeof UsageAnswerSchema>;
