import * as z from 'zod';
import { MicroSchema } from './account.ts';

/** How a model is priced. Token prices are micro-credits for 1 million tokens. */
export const PriceSchema = z.discriminatedUnion('mode', [
  z.object({ mode: z.literal('flat'), runMicro: MicroSchema.nonnegative() }),
  z.object({
    mode: z.literal('tokens'),
    inputMicro: MicroSchema.nonnegative(),
    cachedInputMicro: MicroSchema.nonnegative(),
    outputMicro: MicroSchema.nonnegative(),
  }),
]);
export type Price = z.infer<typeof PriceSchema>;

export const ModelSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    contextTokens: z.int().positive().describe('input and output together'),
    maxOutputTokens: z.int().positive(),
    price: PriceSchema.describe('what this account pays'),
    isDefault: z.boolean(),
    isDemo: z.boolean().describe('the built-in demo model, which is no real model'),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof ModelSchema>;

export const ModelsAnswerSchema = z.object({ models: z.array(ModelSchema) }).meta({ id: 'ModelsAnswer' });
export type ModelsAnswer = z.infer<typeof ModelsAnswerSchema>;
