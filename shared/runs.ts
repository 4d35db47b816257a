import * as z from 'zod';
import { BalanceSchema, MicroSchema } from './account.ts';
import {
  MAX_ATTACHMENTS,
  MAX_EARLIER,
  MAX_INSTRUCTION_BYTES,
  MAX_INSTRUCTIONS,
  MAX_TEXT,
  NOT_REFUNDED,
  REASONS,
} from './constants.ts';
import { fitting } from './fitting.ts';
import { base64Length, MAX_IMAGE_BYTES, MAX_IMAGES } from './media/images.ts';
import { mendProblem, ProblemSchema } from './problems.ts';
import { storable, textSchema } from './texts.ts';

export { MAX_ATTACHMENTS, MAX_TEXT, NOT_REFUNDED, REASONS, storable, textSchema };

/** The maximum size of a whole request, in addition to `MAX_TEXT` for each text. */
export const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** Lines counted from 0; `end` is inclusive. */
export const LineRangeSchema = z.object({ start: z.int().nonnegative(), end: z.int().nonnegative() });
export type LineRange = z.infer<typeof LineRangeSchema>;

/**
 * - `found`: lines that a search of the workspace found by the question's words
 * - `folder`: a list of its files; their texts are attachments of their own
 * - `symbol`: lines that define a name
 * - `commit`: its message and diff
 * - `terminal`: a command and its output
 * - `pasted`: a long text that was pasted into the message, or a file that is not of the workspace
 * - `page`: a page of the web, as text
 * - `image`: a picture, with its bytes in place of a text
 */
export const AttachmentKindSchema = z.enum([
  'file',
  'selection',
  'problems',
  'diff',
  'found',
  'folder',
  'symbol',
  'commit',
  'terminal',
  'pasted',
  'page',
  'image',
]);
export type AttachmentKind = z.infer<typeof AttachmentKindSchema>;

const attachmentHead = {
  kind: AttachmentKindSchema.exclude(['image']),
  path: textSchema(4096)
    .optional()
    .describe(
      'relative to the workspace, with forward slashes; of a commit, its hash and subject, of a terminal, its command, of a pasted text, its length or name, of a page, its address',
    ),
  name: textSchema(200).optional().describe('of a symbol'),
  languageId: textSchema(100).optional(),
  range: LineRangeSchema.optional(),
  visible: z
    .literal(true)
    .optional()
    .describe('lines that the editor showed and nobody chose; their kind is "selection"'),
};

const AttachedTextSchema = z.object({ ...attachmentHead, text: textSchema(MAX_TEXT) });
/** An attachment with its text. */
export type AttachedText = z.infer<typeof AttachedTextSchema>;

/** A picture. Its type and size are read from its bytes: see `images.ts` for what is accepted. */
export const ImageInputSchema = z.object({
  kind: z.literal('image'),
  path: textSchema(4096).describe('its name'),
  mediaType: textSchema(100).describe('image/png, image/jpeg, image/webp or image/gif'),
  data: z.string().max(base64Length(MAX_IMAGE_BYTES)).describe('its bytes as base64'),
});
export type ImageInput = z.infer<typeof ImageInputSchema>;

/** An attachment: new with its text or bytes, or the `id` of one that an earlier message of the conversation has. */
export const AttachmentInputSchema = z.union([AttachedTextSchema, z.object({ id: textSchema(100) }), ImageInputSchema]);
export type AttachmentInput = z.infer<typeof AttachmentInputSchema>;

/**
 * Guidance for the model on style and conventions: a file of the workspace, or, without a path, the user's own text. It
 * stands before the question in the prompt. A chat does not repeat what one of its earlier messages brought; an edit has
 * no earlier messages, so it always brings all.
 */
export const InstructionSchema = z.object({
  path: textSchema(4096).optional().describe('relative to the workspace, with forward slashes'),
  text: textSchema(MAX_INSTRUCTION_BYTES).min(1),
});
export type Instruction = z.infer<typeof InstructionSchema>;

const instructions = z
  .array(InstructionSchema)
  .max(MAX_INSTRUCTIONS)
  .refine((all) => new Set(all.map(({ path }) => path)).size === all.length, 'Each path can stand there once.')
  .optional();

export const ChatInputSchema = z.object({
  text: textSchema(MAX_TEXT),
  /** An edited message keeps its instructions beside the attachments. */
  attachments: z
    .array(AttachmentInputSchema)
    .max(MAX_ATTACHMENTS + MAX_INSTRUCTIONS)
    .optional()
    .describe(
      `at most ${MAX_ATTACHMENTS}, ${MAX_IMAGES} of them pictures, besides the instructions that an edited message keeps`,
    ),
  instructions,
});
export type ChatInput = z.infer<typeof ChatInputSchema>;

/** Lines of one file to rewrite. The answer has their replacement in one fenced block. */
export const SelectionEditSchema = z.object({
  instruction: textSchema(MAX_TEXT).min(1),
  path: textSchema(4096),
  languageId: textSchema(100),
  selection: z.object({ start: z.int().nonnegative(), end: z.int().nonnegative(), text: textSchema(MAX_TEXT) }),
  before: textSchema(MAX_TEXT).describe('lines before the selection'),
  after: textSchema(MAX_TEXT).describe('lines after the selection'),
  instructions,
  attachments: z.array(AttachedTextSchema).max(MAX_ATTACHMENTS).optional().describe('what the instruction names by @'),
  earlier: z
    .array(textSchema(MAX_TEXT))
    .max(MAX_EARLIER)
    .optional()
    .describe('the instructions that made the selection what it is, oldest first'),
});
export type SelectionEdit = z.infer<typeof SelectionEditSchema>;

export const MAX_NAMED_PATHS = 2_000;

/** Files to change or create. The answer has search/replace blocks, or patches that can move and delete, too. */
export const FilesEditSchema = z.object({
  instruction: textSchema(MAX_TEXT).min(1),
  files: z
    .array(z.object({ path: textSchema(4096), languageId: textSchema(100), text: textSchema(MAX_TEXT) }))
    .min(1)
    .max(MAX_ATTACHMENTS),
  paths: z
    .array(textSchema(4096))
    .max(MAX_NAMED_PATHS)
    .optional()
    .describe('other files of the workspace, by name only, so that new ones find their place'),
  instructions,
});
export type FilesEdit = z.infer<typeof FilesEditSchema>;

/**
 * Repairs the answer of run `repairs`: a complete edit of files in the same conversation with hunks that could not be
 * placed. An edit is repaired only once. The answer has blocks that replace the refused ones.
 */
export const RepairEditSchema = z.object({
  repairs: z.uuid(),
  refused: z
    .array(
      z.object({
        path: textSchema(4096),
        lookedFor: textSchema(MAX_TEXT),
        why: textSchema(2_000),
        nearest: textSchema(MAX_TEXT)
          .optional()
          .describe('the lines of the file that come nearest, as it has them now'),
      }),
    )
    .min(1)
    .max(100),
});
export type RepairEdit = z.infer<typeof RepairEditSchema>;

export const EditInputSchema = z.union([SelectionEditSchema, FilesEditSchema, RepairEditSchema]);
export type EditInput = z.infer<typeof EditInputSchema>;

const runHead = {
  id: z.uuid().describe('made by the client; sending it twice starts the run once'),
  conversationId: z.uuid().describe('made by the client; its first run makes the conversation'),
  model: textSchema(200).optional().describe("a model's id; else the default model"),
  effort: textSchema(40).optional().describe('how hard the model thinks, of its `efforts`; else as it does by itself'),
  replaces: z.uuid().optional().describe('a message: it and all after it are superseded'),
  compacts: z
    .literal(true)
    .optional()
    .describe('a chat with an empty text: summarises the conversation; later prompts have the summary instead'),
  continues: z.uuid().optional().describe('an interrupted, failed, stopped or cut short run whose answer goes on'),
};

/**
 * `POST /api/runs`. A chat with `continues` may have an empty text. If `replaces` names an answer instead of a user's
 * message and the text is empty, the message before that answer is answered again ("regenerate").
 */
export const RunRequestSchema = z
  .discriminatedUnion('kind', [
    z.object({ ...runHead, kind: z.literal('chat'), input: ChatInputSchema }),
    z.object({ ...runHead, kind: z.literal('edit'), input: EditInputSchema }),
  ])
  .meta({ id: 'RunRequest' });
export type RunRequest = z.infer<typeof RunRequestSchema>;

export const RunKindSchema = z.enum(['chat', 'edit']);
export type RunKind = z.infer<typeof RunKindSchema>;
export const RunStateSchema = z.enum(['running', 'complete', 'stopped', 'interrupted', 'failed']);
export type RunState = z.infer<typeof RunStateSchema>;

export const RunSchema = z
  .object({
    id: z.uuid(),
    conversationId: z.uuid(),
    userMessageId: z.uuid().nullable().describe('null when an answer is continued'),
    messageId: z.uuid().describe('the message that holds the answer'),
    kind: RunKindSchema,
    model: z.string(),
    state: RunStateSchema,
    device: z.string().describe('where it was started, as that client named itself'),
    maxOutputTokens: z.int().describe('the output limit sent upstream; below the usual one when little is left'),
    clampedTo: z.int().optional().describe('the same, only where little is left: enough for so many more tokens'),
    effort: z.string().optional().describe('how hard the model was asked to think'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Run' });
export type Run = z.infer<typeof RunSchema>;

export const RunAnswerSchema = z.object({ run: RunSchema, balance: BalanceSchema }).meta({ id: 'RunAnswer' });
export type RunAnswer = z.infer<typeof RunAnswerSchema>;

export const UsageSchema = z.object({
  inputTokens: z.int().describe('cached ones included'),
  cachedInputTokens: z.int(),
  outputTokens: z.int(),
  estimated: z.boolean().describe('counted here because the model service reported none'),
});
export type Usage = z.infer<typeof UsageSchema>;

export type Reason = keyof typeof REASONS;
export const ReasonSchema = z.enum(Object.keys(REASONS) as [Reason, ...Reason[]]);

/**
 * `GET /api/runs/:id/events`, SSE. `id:` is the event's number, `event:` its type. `at` is the text's position in the
 * answer (UTF-16 units), so that a client that already has a part can cut and append. An empty text before the end
 * deletes the text from there on: it was a model's thought, which only its closing tag revealed. Exactly one `done` or
 * `error` ends the stream.
 *
 * `thinking`: what the model thinks before or within a chat's answer. `at` is the position in its thoughts, `ms` how
 * long it has thought so far. Clients that do not know the event ignore it.
 */
export const TextEventSchema = z.object({ text: z.string(), at: z.int() });
export const ThinkingEventSchema = TextEventSchema.extend({ ms: z.int().nonnegative() });
export const UsageEventSchema = UsageSchema;
export const DoneEventSchema = z.object({
  state: z.enum(['complete', 'stopped', 'interrupted']),
  cutShort: z.literal(true).optional().describe('the answer ended at its length limit'),
  chargedMicro: MicroSchema,
  reason: ReasonSchema.optional(),
  balance: BalanceSchema,
});
export const ErrorEventSchema = ProblemSchema.extend({ chargedMicro: MicroSchema, balance: BalanceSchema.optional() });
export type RunEvent =
  | { type: 'text'; data: z.infer<typeof TextEventSchema> }
  | { type: 'thinking'; data: z.infer<typeof ThinkingEventSchema> }
  | { type: 'usage'; data: z.infer<typeof UsageEventSchema> }
  | { type: 'done'; data: z.infer<typeof DoneEventSchema> }
  | { type: 'error'; data: z.infer<typeof ErrorEventSchema> };
export const RUN_EVENT_SCHEMAS = {
  text: TextEventSchema,
  thinking: ThinkingEventSchema,
  usage: UsageEventSchema,
  done: DoneEventSchema,
  error: ErrorEventSchema,
} as const;

/** Repairs a terminal event of another version, so that an unknown reason or problem does not make it unreadable. */
export function mendEnd(type: string, data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  if (type === 'error') {
    const { chargedMicro = 0, balance } = fitting(ErrorEventSchema.shape, data);
    return { ...mendProblem(data), chargedMicro, balance };
  }
  if (type !== 'done' || !('reason' in data) || ReasonSchema.safeParse(data.reason).success) return data;
  const { reason: _, ...known } = data;
  return known;
}

/**
 * `POST /api/runs/:id/outcome`: the outcome of an edit's hunks, reported once. `applied`: could be placed, whatever the
 * user decided afterwards. `refused`: could not be placed. A proposal with nothing applied is not charged: see
 * `OutcomeAnswerSchema`.
 */
export const OutcomeSchema = z.object({ applied: z.int().nonnegative(), refused: z.int().nonnegative() });
export type Outcome = z.infer<typeof OutcomeSchema>;

export type NotRefunded = keyof typeof NOT_REFUNDED;

/**
 * The run's cost after its outcome was reported. `refundedMicro` is what that refunded; it is mostly 0, and then
 * `notRefunded` says why. Reporting the same outcome again gives the same answer, with the current balance.
 */
export const OutcomeAnswerSchema = z
  .object({
    chargedMicro: MicroSchema,
    refundedMicro: MicroSchema,
    notRefunded: z.enum(Object.keys(NOT_REFUNDED) as [NotRefunded, ...NotRefunded[]]).optional(),
    balance: BalanceSchema,
  })
  .meta({ id: 'OutcomeAnswer' });
export type OutcomeAnswer = z.infer<typeof OutcomeAnswerSchema>;

/**
 * `GET /api/runs/spending?since=`: what the account spent since then, by conversation and by API key, largest first. Runs
 * in deleted conversations, and a tool's calls without a key, count in the sums alone.
 */
export const SpendingSchema = z
  .object({
    chargedMicro: MicroSchema,
    runs: z.int(),
    conversations: z.array(z.object({ id: z.uuid(), title: z.string(), chargedMicro: MicroSchema, runs: z.int() })),
    keys: z
      .array(z.object({ id: z.uuid(), name: z.string(), chargedMicro: MicroSchema, runs: z.int() }))
      .default([])
      .describe('the calls of tools'),
  })
  .meta({ id: 'Spending' });
export type Spending = z.infer<typeof SpendingSchema>;
