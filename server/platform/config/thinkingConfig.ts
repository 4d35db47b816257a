import { z } from 'zod';

/**
 * How hard a model can be asked to think, in its service's own words, least first; and the field by which it is asked:
 * - `reasoning_effort`: the effort as it stands (OpenAI, Kimi K3, vLLM)
 * - `thinking`: `{type: "enabled"}` or `{type: "disabled"}` for `on` and `off` (Kimi K2.5, GLM); any other effort is
 *   "enabled" with `reasoning_effort` beside it (DeepSeek)
 */
export const ThinkingConfigSchema = z.strictObject({
  efforts: z
    .array(z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'must be lower-case, such as "high"'))
    .min(1)
    .max(10)
    .refine((efforts) => new Set(efforts).size === efforts.length, { error: 'an effort is listed twice' }),
  field: z.enum(['reasoning_effort', 'thinking']).default('reasoning_effort'),
});
export type ThinkingField = z.infer<typeof ThinkingConfigSchema>['field'];
