import * as z from 'zod';
import { MicroSchema } from './account.ts';
import { fitting } from './fitting.ts';
import { IMAGE_TYPES } from './media/images.ts';
import { mendProblem, PROBLEMS, ProblemSchema } from './problems.ts';
import {
  AttachmentKindSchema,
  LineRangeSchema,
  ReasonSchema,
  RunKindSchema,
  RunStateSchema,
  UsageSchema,
} from './runs.ts';
import { nameSchema } from './texts.ts';

/** "instructions": without a path, they are the user's own. */
const ShownKindSchema = z.enum([...AttachmentKindSchema.options, 'instructions']);

/** An attachment as a message shows it, without its text. Later requests refer to it by `id`. */
export const AttachmentSchema = z.object({
  id: z.string(),
  kind: ShownKindSchema,
  path: z.string().optional(),
  name: z.string().optional().describe('of a symbol'),
  languageId: z.string().optional(),
  range: LineRangeSchema.optional(),
  visible: z.literal(true).optional().describe('lines that the editor showed and nobody chose'),
  characters: z.int(),
  image: z
    .object({
      mediaType: z.enum(IMAGE_TYPES),
      width: z.int().positive(),
      height: z.int().positive(),
      bytes: z.int().positive(),
    })
    .optional()
    .describe('of a picture; `GET /api/attachments/…` with its id has the bytes'),
});
export type Attachment = z.infer<typeof AttachmentSchema>;

/** The thoughts of the model before or within an answer to a chat, kept apart from its text. */
export const ThinkingSchema = z.object({
  text: z.string().describe('Markdown; of very long thoughts, the beginning and a note'),
  ms: z.int().nonnegative().describe('how long the model thought'),
});
export type Thinking = z.infer<typeof ThinkingSchema>;

export const MessageSchema = z
  .object({
    id: z.uuid(),
    role: z.enum(['user', 'assistant']),
    kind: RunKindSchema,
    text: z.string().describe('empty while the run goes on: read its events from the first'),
    thinking: ThinkingSchema.optional(),
    attachments: z.array(AttachmentSchema).optional(),
    runId: z.uuid().optional(),
    state: RunStateSchema.optional().describe('answers only'),
    model: z.string().optional(),
    usage: UsageSchema.optional(),
    chargedMicro: MicroSchema.optional().describe('answers that have ended'),
    reason: ReasonSchema.optional().describe('why nothing, or less, was charged'),
    problem: ProblemSchema.optional().describe('failed answers: what went wrong'),
    cutShort: z.literal(true).optional().describe('the answer ended at its length limit'),
    clampedTo: z
      .int()
      .optional()
      .describe('output tokens that what was left bought, where the usual answer may have more'),
    summary: z
      .enum(['used', 'unused'])
      .optional()
      .describe('an answer that summarises all before it; prompts have the used one instead of that'),
    effort: z.string().optional().describe('how hard the model was asked to think'),
    continues: z.uuid().optional().describe('the run whose answer this one goes on with'),
    device: z.string().optional().describe('where the run was started'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Message' });
export type Message = z.infer<typeof MessageSchema>;

/**
 * Repairs a message to fit its contract, so that one odd value costs one member of one message and never the
 * conversation. If required members don't fit, the text says so. `place`: its index in the page, used if it has no
 * readable id.
 */
export function mendMessage(given: unknown, place = 0): Message {
  const parsed = MessageSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const fits = fitting(MessageSchema.shape, given);
  const { problem } = (given ?? {}) as { problem?: unknown };
  if (problem !== undefined && problem !== null) fits.problem = mendProblem(problem);
  const { id, role, kind, text, createdAt } = fits;
  if (id && role && kind && text !== undefined && createdAt) return { ...fits, id, role, kind, text, createdAt };
  return {
    id: `00000000-0000-4000-8000-${place.toString(16).padStart(12, '0')}`,
    role: 'assistant',
    kind: 'chat',
    text: '',
    createdAt: new Date(0).toISOString(),
    ...fits,
    state: 'failed',
    problem: { ...UNREADABLE, ...PROBLEMS.internal, title: 'This message cannot be read' },
  };
}

const UNREADABLE = {
  type: 'about:blank',
  code: 'internal' as const,
  detail: 'It is kept in a form that this version does not know. The other messages are not affected.',
  requestId: '',
};

/** A search match in a message: one line of plain text in three parts. */
export const PassageSchema = z
  .object({ before: z.string().max(200), match: z.string().max(200), after: z.string().max(200) })
  .meta({ id: 'Passage' });
export type Passage = z.infer<typeof PassageSchema>;

export const ConversationSummarySchema = z
  .object({
    id: z.uuid(),
    title: z.string(),
    kind: RunKindSchema.describe('what its first run was'),
    updatedAt: z.iso.datetime(),
    pinned: z.literal(true).optional().describe('stands before the others in the list'),
    running: z.object({ runId: z.uuid(), device: z.string() }).optional(),
    passage: PassageSchema.optional().describe(
      'of a search: the newest message that has it; none if only the title has',
    ),
  })
  .meta({ id: 'ConversationSummary' });
export type ConversationSummary = z.infer<typeof ConversationSummarySchema>;

/** A page of the list, the pinned ones first, then newest first. Send `before` to get the next page; null on the last. */
export const ConversationsAnswerSchema = z
  .object({ conversations: z.array(ConversationSummarySchema), before: z.string().nullable() })
  .meta({ id: 'ConversationsAnswer' });
export type ConversationsAnswer = z.infer<typeof ConversationsAnswerSchema>;

/** The newest messages in reading order. Send `before` to get earlier ones; null at the beginning. */
export const ConversationSchema = ConversationSummarySchema.extend({
  messages: z.array(MessageSchema),
  before: z.uuid().nullable(),
}).meta({ id: 'Conversation' });
export type Conversation = z.infer<typeof ConversationSchema>;
/** A conversation whose messages still have to go through `mendMessage`, one by one. */
export const UnmendedConversationSchema = ConversationSchema.extend({ messages: z.array(z.unknown()) });

export const ConversationPatchSchema = z
  .object({
    title: nameSchema(200).optional(),
    pinned: z.boolean().optional(),
    summary: z
      .uuid()
      .nullable()
      .optional()
      .describe('the message that prompts have in place of all before it; null: they have all'),
  })
  .refine((patch) => Object.values(patch).some((value) => value !== undefined), 'There is nothing to change.');
export type ConversationPatch = z.infer<typeof ConversationPatchSchema>;
