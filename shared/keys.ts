import * as z from 'zod';
import { MicroSchema } from './account.ts';
import { MAX_KEY_NAME } from './constants.ts';
import { nameSchema, textSchema } from './texts.ts';

export { MAX_KEY_NAME };

/** The most keys that an account can have at once. */
export const MAX_KEYS = 50;
/** A cap above this limits nothing: a thousand million credits. */
export const MAX_MONTHLY_MICRO = 1_000_000_000_000_000;

/** What a key's owner decides. */
const settings = {
  name: nameSchema(MAX_KEY_NAME).describe('such as "OpenCode on the laptop"'),
  models: z
    .array(textSchema(200).min(1))
    .min(1)
    .max(50)
    .nullable()
    .describe('the only models that the key may use; null: every model that the account may use'),
  monthlyMicro: MicroSchema.min(1)
    .max(MAX_MONTHLY_MICRO)
    .nullable()
    .describe('the most that the key may spend in a calendar month (UTC); null: no cap of its own'),
  expiresAt: z.iso.datetime().nullable().describe('when the key ends; null: when it is revoked'),
};

/** `POST /api/keys`. */
export const KeyRequestSchema = z
  .strictObject({
    name: settings.name,
    models: settings.models.optional(),
    monthlyMicro: settings.monthlyMicro.optional(),
    expiresAt: settings.expiresAt.optional(),
  })
  .meta({ id: 'KeyRequest' });
export type KeyRequest = z.infer<typeof KeyRequestSchema>;

/** `PATCH /api/keys/:id`: only the members to be changed. Null removes a limit. */
export const KeyPatchSchema = KeyRequestSchema.partial().meta({ id: 'KeyPatch' });
export type KeyPatch = z.infer<typeof KeyPatchSchema>;

/** An API key as its owner sees it. The secret itself is not stored. */
export const ApiKeySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    hint: z.string().describe('the last 4 characters of the secret, to recognise it by'),
    models: z.array(z.string()).nullable().describe('the only models that it may use; null: all'),
    monthlyMicro: MicroSchema.nullable(),
    spentMicro: MicroSchema.describe('charged or held in this calendar month (UTC)'),
    resetsAt: z.iso.datetime().describe('when the next calendar month (UTC) begins'),
    expiresAt: z.iso.datetime().nullable().describe('may be in the past: the key has ended then'),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().describe('to the minute; null: never'),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof ApiKeySchema>;

const baseUrl = z.string().describe('what a tool takes as the base URL of an OpenAI-compatible service');

/** `GET /api/keys`: the newest first, without revoked ones. */
export const KeysAnswerSchema = z.object({ keys: z.array(ApiKeySchema), baseUrl }).meta({ id: 'KeysAnswer' });
export type KeysAnswer = z.infer<typeof KeysAnswerSchema>;

export const NewKeyAnswerSchema = z
  .object({ key: ApiKeySchema, secret: z.string().describe('shown only here; only its hash is stored'), baseUrl })
  .meta({ id: 'NewKeyAnswer' });
export type NewKeyAnswer = z.infer<typeof NewKeyAnswerSchema>;
