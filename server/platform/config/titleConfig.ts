import { z } from 'zod';

/** A model gives titles to chats that go on, at the house's cost. */
export const TitleConfigSchema = z.strictObject({
  model: z.string().min(1).max(200),
  /** How hard it thinks, of its `thinking.efforts`: best the least. */
  effort: z.string().max(40).optional(),
});
