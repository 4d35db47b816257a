import * as z from 'zod';
import { BalanceSchema, MicroSchema } from './account.ts';
import { textSchema } from './texts.ts';

/** `GET /api/promotions`. */
export const PromotionsAnswerSchema = z
  .object({
    claimable: z.boolean().describe('whether there is a promotion that this account can still ask for by a code'),
  })
  .meta({ id: 'PromotionsAnswer' });
export type PromotionsAnswer = z.infer<typeof PromotionsAnswerSchema>;

/** `POST /api/promotions/claim`. */
export const ClaimRequestSchema = z
  .strictObject({ code: textSchema(200).describe('as it was typed: case and blanks do not count') })
  .meta({ id: 'ClaimRequest' });

export const ClaimAnswerSchema = z
  .object({
    amountMicro: MicroSchema.describe('what was given'),
    reason: z.string().describe('a sentence; it stands in the token log too'),
    balance: BalanceSchema,
  })
  .meta({ id: 'ClaimAnswer' });
export type ClaimAnswer = z.infer<typeof ClaimAnswerSchema>;
