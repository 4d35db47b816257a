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
