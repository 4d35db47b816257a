// The attachments of a user's message. Their texts are in separate rows, so that listing messages does not read them.
import type { Attachment } from '../../shared/conversations.ts';
import type { AttachmentInput, EditInput, FilesEdit, Instruction, SelectionEdit } from '../../shared/runs.ts';
import type { Reader, Tx } from '../platform/db/database.ts';
import type { AttachmentRow } from '../platform/db/schema.ts';
import { insertImage, readImages, type StoredImage } from './pictures.ts';
import { promptStart } from './promptParts.ts';

/** A stored attachment, with its text, which is empty for a picture. */
export type StoredAttachment = Omit<Extract<AttachmentInput, { text: string }>, 'kind'> & {
  kind: Attachment['kind'];
  image?: StoredImage | undefined;
};

/** A chat's attachments, or an edit's request. */
export type MessageExtras = { attachments: StoredAttachment[] } | { edit: EditInput };

/** A share of the prompt: an estimate in tokens, and an upper bound in bytes of UTF-8. */
export interface PromptSize {
  tokens: number;
  bytes: number;
}

/** An attachment without its text. `size` is null in old rows. */
export interface AttachmentHead extends Omit<StoredAttachment, 'text'> {
  messageId: string;
  place: number;
  characters: number;
  size: PromptSize | null;
}

/** The id by which a message's attachment can be sent again: `<message id>/<place>`. */
export const attachmentId = (messageId: string, place: number) => `${messageId}/${place}`;

function parseId(id: string): { messageId: string; place: number } {
  const [, messageId = '', place] = /^([^/]+)\/(\d{1,3})$/.exec(id) ?? [];
  return { messageId, place: Number(place ?? Number.NaN) };
}

/** The attachment as a message shows it. */
export function toAttachment({ messageId, place, size: _, ...shown }: AttachmentHead): Attachment {
  return { id: attachmentId(messageId, place), ...shown };
}

const HEAD = [
  ...(['message_id', 'place', 'kind', 'path', 'name', 'language_id', 'first_line', 'last_line'] as const),
  ...(['characters', 'tokens', 'bytes'] as const),
] as const;
type HeadRow = Pick<AttachmentRow, (typeof HEAD)[number]>;

/** The attachments of the given messages, in order, without their texts. */
export async function readHeads(db: Reader, messageIds: readonly string[]): Promise<Map<string, AttachmentHead[]>> {
  const heads = new Map<string, AttachmentHead[]>();
  if (messageIds.length === 0) return heads;
  const rows = await db
    .selectFrom('attachment')
    .select(HEAD)
    .where('message_id', 'in', messageIds)
    .orderBy('message_id')
    .orderBy('place')
    .execute();
  const imageOf = await imagesOf(db, rows);
  for (const row of rows) {
    const list = heads.get(row.message_id) ?? [];
    list.push(toHead(row, imageOf));
    heads.set(row.message_id, list);
  }
  return heads;
}

/** Finds an attachment of this conversation by its id, without its text. Superseded messages included. */
export async function findHead(tx: Tx, conversationId: string, id: string): Promise<AttachmentHead | undefined> {
  const { messageId, place } = parseId(id);
  if (!Number.isInteger(place)) return undefined;
  const row = await tx
    .selectFrom('attachment')
    .innerJoin('message', 'message.id', 'attachment.message_id')
    .select(HEAD.map((column) => `attachment.${column}` as const))
    .where('message_id', '=', messageId)
    .where('place', '=', place)
    .where('conversation_id', '=', conversationId)
    .executeTakeFirst();
  return row && toHead(row as HeadRow, await imagesOf(tx, [row as HeadRow]));
}

export async function readText(tx: Tx, { messageId, place }: AttachmentHead): Promise<string> {
  const { text } = await tx
    .selectFrom('attachment')
    .select('text')
    .where('message_id', '=', messageId)
    .where('place', '=', place)
    .executeTakeFirstOrThrow();
  return text;
}

/** The picture of an attachment with its bytes; undefined if it is none. */
export const readImage = async (tx: Tx, head: AttachmentHead): Promise<StoredImage | undefined> =>
  head.image && (await readImages(tx, [head.messageId], new Set([head.messageId])))(head);

/** Asks for pictures only where there are some. */
const imagesOf = (db: Reader, rows: readonly Pick<HeadRow, 'message_id' | 'kind'>[], withData?: ReadonlySet<string>) =>
  readImages(db, [...new Set(rows.flatMap((row) => (row.kind === 'image' ? [row.message_id] : [])))], withData);

/**
 * Those of the instructions that the conversation does not have yet: its live messages up to a place have no newest text
 * of the same path that is equal. Reads only texts of equal length.
 */
export async function newInstructions(
  tx: Tx,
  conversationId: string,
  upTo: number,
  given: readonly Instruction[],
): Promise<Instruction[]> {
  if (given.length === 0) return [];
  const rows = await tx
    .selectFrom('attachment')
    .innerJoin('message', 'message.id', 'attachment.message_id')
    .select(HEAD.map((column) => `attachment.${column}` as const))
    .where('conversation_id', '=', conversationId)
    .where('message.superseded_at', 'is', null)
    .where('seq', '<=', upTo)
    .where('seq', '>=', promptStart(conversationId, upTo))
    .where('attachment.kind', '=', 'instructions')
    .orderBy('seq')
    .orderBy('place')
    .execute();
  const newest = new Map(rows.map((row) => [row.path, toHead(row as HeadRow, () => undefined)]));
  const fresh: Instruction[] = [];
  for (const one of given) {
    const known = newest.get(one.path ?? null);
    const isKnown = known?.characters === one.text.length && (await readText(tx, known)) === one.text;
    if (!isKnown) fresh.push(one);
  }
  return fresh;
}

/**
 * All extras of the given messages, with the texts, by message id. Messages without extras are left out. The bytes of
 * pictures are read only of the messages in `withPictures`.
 */
export async function readExtras(
  db: Reader,
  messageIds: readonly string[],
  withPictures?: ReadonlySet<string>,
): Promise<Map<string, MessageExtras>> {
  const attachments = new Map<string, StoredAttachment[]>();
  const extras = new Map<string, MessageExtras>();
  if (messageIds.length === 0) return extras;
  const rows = await db
    .selectFrom('attachment')
    .selectAll()
    .where('message_id', 'in', messageIds)
    .orderBy('message_id')
    .orderBy('place')
    .execute();
  const imageOf = await imagesOf(db, rows, withPictures);
  for (const row of rows) {
    const list = attachments.get(row.message_id) ?? [];
    const image = imageOf({ messageId: row.message_id, place: row.place });
    list.push({ ...describe(row), text: row.text, ...(image && { image }) });
    attachments.set(row.message_id, list);
  }
  for (const [id, list] of attachments) extras.set(id, { attachments: list });
  const inputs = await db.selectFrom('edit_input').selectAll().where('message_id', 'in', messageIds).execute();
  for (const { message_id, content } of inputs)
    extras.set(message_id, { edit: joined(attachments.get(message_id) ?? [], JSON.parse(content)) });
  return extras;
}

/** Stores a message's extras; `sizes` are those of its attachments, in order. */
export async function insertExtras(
  tx: Tx,
  { conversationId, messageId }: { conversationId: string; messageId: string },
  extras: MessageExtras,
  sizes: readonly PromptSize[],
) {
  const { attachments, rest } = 'edit' in extras ? parted(extras.edit) : { ...extras, rest: null };
  for (const [place, { kind, visible, path, name, languageId, range, text, image }] of attachments.entries()) {
    await tx
      .insertInto('attachment')
      .values({
        ...{ message_id: messageId, place, kind: visible ? ('visible' as const) : kind },
        ...{ path: path ?? null, name: name ?? null, language_id: languageId ?? null },
        ...{ first_line: range?.start ?? null, last_line: range?.end ?? null, characters: text.length },
        ...{ tokens: sizes[place]?.tokens ?? null, bytes: sizes[place]?.bytes ?? null, text },
      })
      .execute();
    if (image) await insertImage(tx, conversationId, { messageId, place }, image);
  }
  if (rest !== null)
    await tx
      .insertInto('edit_input')
      .values({ message_id: messageId, content: JSON.stringify(rest) })
      .execute();
}

/** Instructions as they are stored. */
export const instructionsOf = (given: readonly Instruction[] = []): StoredAttachment[] =>
  given.map(({ path, text }) => ({ kind: 'instructions', path, languageId: 'markdown', text }));

/**
 * Splits an edit into its attachments (the lines or files to change, then its instructions) and the rest. `joined` is
 * the inverse.
 */
function parted(edit: EditInput): { attachments: StoredAttachment[]; rest: object } {
  if ('repairs' in edit) return { attachments: [], rest: edit };
  const guidance = instructionsOf(edit.instructions);
  if ('files' in edit) {
    const { files, instructions: _, ...rest } = edit;
    return { attachments: [...files.map((file) => ({ kind: 'file' as const, ...file })), ...guidance], rest };
  }
  const { selection, path, languageId, instructions: _, ...rest } = edit;
  const { text, ...range } = selection;
  return { attachments: [{ kind: 'selection', path, languageId, range, text }, ...guidance], rest };
}

function joined(stored: StoredAttachment[], given: EditInput | Omit<FilesEdit, 'files'>): EditInput {
  if ('repairs' in given) return given;
  const attachments = stored.filter(({ kind }) => kind !== 'instructions');
  const instructions = stored
    .filter(({ kind }) => kind === 'instructions')
    .map(({ path, text }): Instruction => ({ ...(path === undefined ? {} : { path }), text }));
  const rest = instructions.length > 0 ? { ...given, instructions } : given;
  const [first] = attachments;
  if (first?.kind === 'selection') {
    const { path = '', languageId = '', range, text } = first;
    const around = rest as Omit<SelectionEdit, 'selection' | 'path' | 'languageId'>;
    return { ...around, path, languageId, selection: { start: range?.start ?? 0, end: range?.end ?? 0, text } };
  }
  const files = attachments.map(({ path = '', languageId = '', text }) => ({ path, languageId, text }));
  return { ...(rest as Omit<FilesEdit, 'files'>), files };
}

/** The attachments of an edit. */
export const attachedTo = (extras: MessageExtras): StoredAttachment[] =>
  'edit' in extras ? parted(extras.edit).attachments : extras.attachments;

function describe(row: HeadRow) {
  const { kind, path, name, language_id, first_line, last_line } = row;
  return {
    ...(kind === 'visible' ? ({ kind: 'selection', visible: true } as const) : { kind }),
    ...(path === null ? {} : { path }),
    ...(name === null ? {} : { name }),
    ...(language_id === null ? {} : { languageId: language_id }),
    ...(first_line === null || last_line === null ? {} : { range: { start: first_line, end: last_line } }),
  };
}

function toHead(row: HeadRow, imageOf: Awaited<ReturnType<typeof readImages>>): AttachmentHead {
  const { message_id, place, characters, tokens, bytes } = row;
  const size = tokens === null || bytes === null ? null : { tokens, bytes };
  const image = imageOf({ messageId: message_id, place });
  return { ...describe(row), messageId: message_id, place, characters, size, ...(image && { image }) };
}
