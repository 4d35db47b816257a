import * as z from 'zod';
import { MicroSchema } from './account.ts';

/** Micro-credits for 1 million tokens. */
const rates = {
  inputMicro: MicroSchema.nonnegative(),
  cachedInputMicro: MicroSchema.nonnegative(),
  outputMicro: MicroSchema.nonnegative(),
};

/** Whether each value is greater than the one before it. */
export const isAscending = (values: readonly number[]) => values.every((value, i) => i === 0 || value > values[i - 1]!);

/** Unknown members are dropped on the wire, where a newer version may send them, and refused in settings. */
function priceSchema(object: typeof z.object | typeof z.strictObject) {
  const tier = object({ aboveInputTokens: z.int().positive(), ...rates });
  return z.discriminatedUnion('mode', [
    object({ mode: z.literal('flat'), runMicro: MicroSchema.nonnegative() }),
    object({
      mode: z.literal('tokens'),
      ...rates,
      tiers: z
        .array(tier)
        .max(10)
        .refine((tiers) => isAscending(tiers.map((one) => one.aboveInputTokens)), {
          error: 'each tier begins above the one before it',
        })
        .optional()
        .describe('what a request costs, all of it, whose input has more tokens than that; the shortest first'),
    }),
  ]);
}

/** A model's price: per run, or per token, with optional tiers for long requests. */
export const PriceSchema = priceSchema(z.object);
export const PriceSettingSchema = priceSchema(z.strictObject);
export type Price = z.infer<typeof PriceSchema>;

/** An announced price, valid from an instant on. */
export const PriceChangeSchema = z.object({ from: z.iso.datetime(), price: PriceSchema });
export type PriceChange = z.infer<typeof PriceChangeSchema>;

export const ModelSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    contextTokens: z.int().positive().describe('input and output together'),
    maxOutputTokens: z.int().positive(),
    price: PriceSchema.describe('what this account pays'),
    nextPrice: PriceChangeSchema.optional().describe('what it will pay, and from when'),
    efforts: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('how hard it can be asked to think, as `effort` of a run; thoughts are output'),
    vision: z.literal(true).optional().describe('it reads pictures'),
    isDefault: z.boolean(),
    isDemo: z.boolean().describe('the built-in demo model, which is no real model'),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof ModelSchema>;

export const ModelsAnswerSchema = z
  .object({
    models: z.array(ModelSchema),
    capsCalls: z
      .boolean()
      .optional()
      .describe(
        'whether calls under /v1 for other extensions of the editor are held to its cap a day; older servers: no',
      ),
  })
  .meta({ id: 'ModelsAnswer' });
export type ModelsAnswer = z.infer<typeof ModelsAnswerSchema>;
