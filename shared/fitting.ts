import type * as z from 'zod';

/** The members of `given` that fit their contract, each checked on its own. The others are left out. */
export function fitting<S extends z.ZodRawShape>(shape: S, given: unknown): Partial<z.output<z.ZodObject<S>>> {
  if (typeof given !== 'object' || given === null) return {};
  const fits: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    const value = (given as Record<string, unknown>)[name];
    if (value === undefined) continue;
    const parsed = (schema as z.ZodType).safeParse(value);
    if (parsed.success) fits[name] = parsed.data;
  }
  return fits as Partial<z.output<z.ZodObject<S>>>;
}
