// What a request asks for: the turns of its prompt, their size, and the messages that the conversation gains and loses.
import {
  type ChatInput,
  type EditInput,
  MAX_ATTACHMENTS,
  type RepairEdit,
  type RunRequest,
} from '../../../shared/runs.ts';
import {
  type AttachmentHead,
  findHead,
  instructionsOf,
  newInstructions,
  type PromptSize,
  readHeads,
  readImage,
  readText,
  type StoredAttachment,
} from '../../conversations/attachments.ts';
import {
  findMessage,
  findUnmeasured,
  type HistoryMessage,
  hasMessageOf,
  readHistory,
  readMessages,
  sizeOfHistory,
  sizeOfMessages,
  storeSize,
} from '../../conversations/history.ts';
import type { NewMessage } from '../../conversations/store.ts';
import { countUntold } from '../../conversations/summaries.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import { summaryTurn } from '../prompt/compact.ts';
import { editWords } from '../prompt/editPrompt.ts';
import { attachmentSize, type dropsOf, type Turn, turnSize } from '../prompt/prompt.ts';
import { storedPicture } from './pictures.ts';
import { findRun, isRepaired } from './runs.ts';
import type { TurnDeps } from './turn.ts';

/** The message that the request adds. */
export interface Added {
  /** The message's id. */
  id: string;
  size: PromptSize;
  attached: ((StoredAttachment | AttachmentHead) & { size: PromptSize })[];
  edit: EditInput | undefined;
  /** Includes the texts of the earlier messages that it refers to. */
  read(): Promise<{ turn: Turn; message: NewMessage }>;
}

export interface Asked {
  /** Null if an earlier message is answered again or an answer continues. */
  added: Added | null;
  /** The earlier messages in the prompt: up to a sequence number, or by their ids. Null for none. */
  earlier: { upTo: number | undefined } | { ids: readonly string[] } | null;
  continuing: boolean;
  /** The messages are to be summarised. */
  compacting: boolean;
  /** The message that is answered, if none is added. */
  questionId: string | null;
  supersedeFromSeq: number | null;
}

/** Refuses an impossible request. Reads no text except that of the one answer that it depends on. */
export async function askedOf(tx: Tx, deps: Pick<TurnDeps, 'ids'>, request: RunRequest): Promise<Asked> {
  const { conversationId } = request;
  if (request.continues) {
    // A continued answer keeps its question: a new message would be lost.
    const adds = request.kind === 'edit' || request.input.text.trim() !== '' || addsTo(request.input);
    if (adds || request.replaces || request.compacts)
      throw new AppError(
        'invalid_request',
        'continues goes with an empty text, and with neither attachments nor instructions nor replaces.',
      );
    return continued(tx, conversationId, request.continues);
  }
  if (request.compacts) return compacted(tx, request);
  const repair = repairOf(request);
  if (repair) {
    if (request.replaces) throw new AppError('invalid_request', 'A repair can not have "replaces".');
    const ids = await repairedBy(tx, conversationId, repair.repairs);
    return { ...NOTHING, earlier: { ids }, added: await added(tx, deps, request) };
  }
  const target = request.replaces ? await findMessage(tx, conversationId, { id: request.replaces }) : undefined;
  if (request.replaces && !target) throw notFound('message');
  if (target?.isSummary && request.kind === 'chat' && request.input.text === '')
    throw new AppError('invalid_request', 'A summary is not answered again: send "compacts" for a new one.');
  if (target?.role === 'assistant' && request.kind === 'chat' && request.input.text === '') {
    const question = await findMessage(tx, conversationId, { role: 'user', before: target.seq });
    if (!question) throw notFound('message');
    // An answer that was continued is several messages: all of them are answered anew.
    const supersedeFromSeq = question.seq + 1;
    return { ...NOTHING, earlier: { upTo: question.seq }, questionId: question.id, supersedeFromSeq };
  }
  const upTo = target && target.seq - 1;
  return {
    ...NOTHING,
    added: await added(tx, deps, request, upTo),
    // An edit needs no earlier messages.
    earlier: request.kind === 'edit' ? null : { upTo },
    supersedeFromSeq: target?.seq ?? null,
  };
}

async function compacted(tx: Tx, { conversationId, kind, input, replaces }: RunRequest): Promise<Asked> {
  if (kind !== 'chat' || input.text.trim() !== '' || addsTo(input) || replaces)
    throw new AppError(
      'invalid_request',
      'compacts goes with a chat of an empty text, and with neither attachments nor instructions nor replaces.',
    );
  if ((await countUntold(tx, conversationId)) === 0)
    throw new AppError(
      'nothing_to_compact',
      'There is no answer yet that a summary could tell of. Nothing was started.',
    );
  return { ...NOTHING, earlier: { upTo: undefined }, compacting: true };
}

const addsTo = ({ attachments = [], instructions = [] }: ChatInput) => attachments.length + instructions.length > 0;

const NOTHING = {
  added: null,
  earlier: null,
  continuing: false,
  compacting: false,
  questionId: null,
  supersedeFromSeq: null,
} satisfies Asked;

export const repairOf = ({ kind, input }: RunRequest): RepairEdit | null =>
  kind === 'edit' && 'repairs' in input ? input : null;

/** The edit of files that a repair is for, and its answer. Refuses what can't be repaired. */
async function repairedBy(tx: Tx, conversationId: string, runId: string): Promise<string[]> {
  const run = await findRun(tx, runId);
  if (run?.conversation_id !== conversationId || run.user_message_id === null) throw notFound('run');
  const question = await findMessage(tx, conversationId, { id: run.user_message_id });
  const answer = await findMessage(tx, conversationId, { id: run.message_id });
  if (!question || !answer) throw notFound('run');
  const [attached] = (await readHeads(tx, [question.id])).get(question.id) ?? [];
  if (question.kind !== 'edit' || attached?.kind !== 'file')
    throw new AppError('invalid_request', 'Only an edit of files can be repaired, and a repair is not repaired again.');
  if (run.state !== 'complete' || (await isBlank(tx, answer.id)))
    throw new AppError('nothing_to_repair', 'That edit did not finish. Nothing was started: ask for the edit again.');
  if (await isRepaired(tx, runId))
    throw new AppError(
      'already_repaired',
      'An edit is repaired only once. Nothing was started: ask for the edit again.',
    );
  return [question.id, answer.id];
}

async function continued(tx: Tx, conversationId: string, runId: string): Promise<Asked> {
  if (!(await hasMessageOf(tx, conversationId, runId))) throw notFound('run');
  // Not a summary that failed: the answer before it is still the last one.
  const last = await findMessage(tx, conversationId, { inPrompt: true });
  const isWhole = last?.state === 'complete' && !last.cutShort;
  if (last?.runId !== runId || last.role !== 'assistant' || last.kind !== 'chat' || last.isSummary || isWhole)
    throw new AppError(
      'nothing_to_continue',
      'Only the last answer can be continued, and only if it was cut off. Nothing was started.',
    );
  return { ...NOTHING, earlier: { upTo: undefined }, continuing: !(await isBlank(tx, last.id)) };
}

async function isBlank(tx: Tx, answerId: string): Promise<boolean> {
  const [answer] = await readMessages(tx, [answerId]);
  return answer?.text.trim() === '';
}

/** `upTo`: the earlier messages that a chat's prompt has. */
async function added(
  tx: Tx,
  { ids }: Pick<TurnDeps, 'ids'>,
  request: RunRequest,
  upTo = Number.MAX_SAFE_INTEGER,
): Promise<Added> {
  const row = { id: ids.next(), role: 'user' as const, kind: request.kind, run_id: request.id };
  if (request.kind === 'edit') {
    const edit = request.input;
    const turn: Turn = { role: 'user', text: editWords(edit), edit };
    const size = turnSize(turn, []);
    const message = { row: { ...row, text: turn.text, ...size }, extras: { content: { edit }, sizes: [] } };
    return { id: row.id, size, attached: [], edit, read: async () => ({ turn, message }) };
  }
  const { text, attachments: given = [], instructions = [] } = request.input;
  if (text.trim() === '' && given.length === 0)
    throw new AppError('invalid_request', 'There is nothing to answer: write something or attach something.');
  const fresh = await newInstructions(tx, request.conversationId, upTo, instructions);
  const attached: Added['attached'] = [];
  for (const one of [...instructionsOf(fresh), ...given]) {
    const attachment =
      'data' in one ? storedPicture(one) : 'text' in one ? one : await findHead(tx, request.conversationId, one.id);
    if (!attachment) throw notFound('attachment');
    const known = 'size' in attachment ? attachment.size : null;
    attached.push({ ...attachment, size: known ?? attachmentSize(await withText(tx, attachment)) });
  }
  if (attached.filter(({ kind }) => kind !== 'instructions').length > MAX_ATTACHMENTS)
    throw new AppError('invalid_request', `A message can have ${MAX_ATTACHMENTS} attachments.`);
  const sizes = attached.map((one) => one.size);
  const size = turnSize({ role: 'user', text }, sizes);
  return {
    ...{ id: row.id, size, attached, edit: undefined },
    async read() {
      const attachments: StoredAttachment[] = [];
      for (const one of attached) attachments.push(await withText(tx, one));
      const extras = attachments.length > 0 ? { content: { attachments }, sizes } : undefined;
      return { turn: { role: 'user', text, attachments }, message: { row: { ...row, text, ...size }, extras } };
    },
  };
}

async function withText(tx: Tx, attachment: StoredAttachment | AttachmentHead): Promise<StoredAttachment> {
  const { kind, visible, path, name, languageId, range } = attachment;
  return {
    kind,
    visible,
    path,
    name,
    languageId,
    range,
    text: 'text' in attachment ? attachment.text : await readText(tx, attachment),
    image: 'text' in attachment ? attachment.image : await readImage(tx, attachment),
  };
}

/** The turns of the prompt and the new message. Reads the texts, so call it only for an admitted request. */
export async function readAsked(
  tx: Tx,
  conversationId: string,
  { earlier, added }: Asked,
  { withPictures }: { withPictures: ReadonlySet<string> },
): Promise<{ turns: Turn[]; message: NewMessage | null }> {
  let before: HistoryMessage[] = [];
  if (earlier)
    before =
      'ids' in earlier
        ? await readMessages(tx, earlier.ids)
        : await readHistory(tx, conversationId, earlier.upTo, { withPictures });
  const now = await added?.read();
  const turns = before.map(turnOf);
  return { turns: now ? [...turns, now.turn] : turns, message: now?.message ?? null };
}

/** A summary is told by the user: it is no answer of the model's. */
function turnOf({ role, text, isSummary, extras }: HistoryMessage): Turn {
  return isSummary ? summaryTurn(text) : { role, text, ...extras };
}

/** The parts that the user could leave out, with sizes: of the new message, or of the one that is answered again. */
export async function lastOf(
  tx: Tx,
  { added, questionId }: Asked,
  earlierTokens: number,
): Promise<Parameters<typeof dropsOf>[0]> {
  const heads = questionId === null ? [] : ((await readHeads(tx, [questionId])).get(questionId) ?? []);
  const attached = (added?.attached ?? heads).map((one) => ({ ...one, tokens: one.size?.tokens ?? 0 }));
  const whole = added?.size ?? (questionId === null ? null : await sizeOfMessages(tx, [questionId]));
  const textTokens = (whole?.tokens ?? 0) - attached.reduce((sum, { tokens }) => sum + tokens, 0);
  return { attached, edit: added?.edit, textTokens, earlierTokens: earlierTokens - (added ? 0 : (whole?.tokens ?? 0)) };
}

/** Some sizes were never stored: abort the transaction and call `measure`. */
export class Unmeasured extends Error {}

/** Stored sizes are smaller than the real ones, because another version measured them. */
export class Mismeasured extends Error {}

/** The size of the prompt without its frame. Throws `Unmeasured`. */
export async function sizeOfAsked(
  tx: Tx,
  conversationId: string,
  { earlier, added }: Asked,
  limitTokens: number,
): Promise<{ earlier: PromptSize & { messages: number }; all: PromptSize & { messages: number } }> {
  let before = { tokens: 0, bytes: 0, messages: 0, unmeasured: 0 };
  if (earlier)
    before =
      'ids' in earlier ? await sizeOfMessages(tx, earlier.ids) : await sizeOfHistory(tx, conversationId, earlier.upTo);
  // The measured part alone may be too large already.
  if (before.unmeasured > 0 && before.tokens <= limitTokens) throw new Unmeasured();
  const { tokens, bytes, messages } = before;
  const all = {
    tokens: tokens + (added?.size.tokens ?? 0),
    bytes: bytes + (added?.size.bytes ?? 0),
    messages: messages + (added ? 1 : 0),
  };
  return { earlier: before, all };
}

/** Measures messages stored without sizes, newest first, until they exceed `limitTokens`. */
export async function measure(db: Database, conversationId: string, limitTokens: number): Promise<void> {
  for (let tokens = 0; tokens <= limitTokens; ) {
    const id = await findUnmeasured(db.read, conversationId);
    if (id === undefined) return;
    const [message] = await readMessages(db.read, [id]);
    if (!message) continue;
    const turn = turnOf(message);
    const size = turnSize(turn, (turn.attachments ?? []).map(attachmentSize));
    await db.write((tx) => storeSize(tx, id, size));
    tokens += size.tokens;
  }
}
