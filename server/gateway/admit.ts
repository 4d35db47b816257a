import { createHash } from 'node:crypto';
import { clampOutput, MIN_OUTPUT_TOKENS, outputLimit as outputLimitOf, worstCase } from '../../shared/pricing.ts';
import type { ChatInput, RepairEdit, RunAnswer, RunRequest, Usage } from '../../shared/runs.ts';
import { balanceOf } from '../accounts/store.ts';
import {
  appendMessages,
  claimConversation,
  createConversation,
  type HistoryMessage,
  type MessageExtras,
  type NewMessage,
  readAttachment,
  readHistory,
  type StoredAttachment,
  supersedeFrom,
} from '../conversations/store.ts';
import type { LimitState } from '../credits/limitWindow.ts';
import { placeHold } from '../credits/store.ts';
import { topUp } from '../credits/topUp.ts';
import { changed } from '../platform/changes.ts';
import type { Reader, Tx } from '../platform/db/database.ts';
import type { RunRow } from '../platform/db/schema.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { AppEnv } from '../platform/http.ts';
import { requireStanding } from '../platform/standing.ts';
import { editPaths, editWords } from './editPrompt.ts';
import { countOrRefuse, refuseFailures } from './limited.ts';
import { buildPrompt, droppable, type Turn, titleOf } from './prompt.ts';
import { findOpenRun, findRun, insertRun, isRepaired, toRun } from './runs.ts';
import { boundPromptTokens, estimatePromptTokens } from './tokens.ts';
import type { AdmittedTurn, TurnDeps } from './turn.ts';
import type { PromptMessage } from './upstreams/stream.ts';

/** English and code have about four bytes a token, other scripts fewer. */
const MAX_BYTES_A_TOKEN = 5;

export type Caller = Pick<
  AppEnv['Variables'],
  'accountId' | 'accountKind' | 'tier' | 'device' | 'isLocal' | 'suspended' | 'goneAt' | 'termsDue'
>;

export interface Admission {
  answer: RunAnswer;
  /** What is to be answered now; null when this request had been admitted before. */
  turn: AdmittedTurn | null;
  /** The account's limits after it; none where nothing was admitted now, or nothing limits the account. */
  limits: readonly LimitState[];
}

/**
 * Admits a run: refuses by name, or stores the messages, the run and its hold in one transaction. The same request sent
 * again is told the run it started; another request under the same id is refused.
 */
export async function admitRun(deps: TurnDeps, caller: Caller, request: RunRequest): Promise<Admission> {
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  const admittedBefore = async (db: Reader) => {
    const known = await findRun(db, request.id);
    return known && { answer: await answerOf(db, deps, caller, sameRun(known, caller, hash)), turn: null, limits: [] };
  };
  // First of all: whoever asks again is told, whatever has happened to the server or its model service since.
  const before = await admittedBefore(deps.db.read);
  if (before) return before;
  requireStanding(caller);
  const model = await deps.catalog.find(caller.accountKind, request.model);
  return deps.db.write(async (tx) => {
    if (deps.draining.aborted) throw shuttingDown();
    const at = deps.clock.now();
    await openConversation(tx, caller, request, at);
    // The same request may have been admitted while this one waited.
    const meanwhile = await admittedBefore(tx);
    if (meanwhile) return meanwhile;
    if (!caller.isLocal) await refuseFailures(tx, deps.policy, caller.accountId, at);
    const busy = await findOpenRun(tx, request.conversationId);
    if (busy)
      throw new AppError('conversation_busy', `It is answering on ${busy.device}. Wait, or stop that answer.`, {
        runId: busy.id,
      });
    const asked = await askedOf(tx, deps, request);
    const messages = buildPrompt(request.kind, asked.turns, asked.continuing);
    const sized = size(caller, model, messages, asked.turns);
    const wholeMicro = worstCase(model.price, sized.inputBound, sized.outputLimit);
    if (caller.isLocal)
      await topUp(tx, { accountId: caller.accountId, runId: request.id, neededMicro: wholeMicro, at });
    let outputLimit = 0;
    const hold = await placeHold(tx, {
      id: deps.ids.next(),
      accountId: caller.accountId,
      runId: request.id,
      // Reckoned when the wallet is locked: of two requests at once the second gets what the first leaves.
      amountMicro(availableMicro) {
        const clamped = clampOutput(model.price, sized.inputBound, sized.outputLimit, availableMicro);
        outputLimit = clamped.tokens;
        return clamped.neededMicro;
      },
      at,
    });
    if (hold.kind === 'held_before') throw reused();
    if (hold.kind === 'closed')
      throw new AppError(
        'unauthorized',
        'This guest has become part of an account. Nothing was started: sign in to it.',
      );
    if (hold.kind === 'insufficient') throw insufficient(deps, caller, hold);
    const run: RunRow = {
      id: request.id,
      conversation_id: request.conversationId,
      account_id: caller.accountId,
      user_message_id: asked.userMessage?.id ?? asked.userMessageId,
      message_id: deps.ids.next(),
      kind: request.kind,
      model: model.id,
      state: 'running',
      device: caller.device,
      request_hash: hash,
      max_output_tokens: outputLimit,
      owner_node: deps.node,
      lease_until: at + deps.leaseMs,
      stop_requested: 0,
      checkpoint: JSON.stringify(NOTHING_USED),
      price: JSON.stringify(model.price),
      last_seq: 0,
      created_at: at,
      ended_at: null,
      outcome: null,
      repairs: repairOf(request)?.repairs ?? null,
      clamped_to: outputLimit < sized.outputLimit ? outputLimit : null,
    };
    // The hold has locked the wallet, so whoever else asks for this account, on any node, is counted after this one.
    const limits = await countOrRefuse(tx, deps.policy, caller, run, sized.inputEstimate + outputLimit);
    if (!(await insertRun(tx, run))) throw reused();
    if (asked.supersedeFromSeq !== null)
      await supersedeFrom(tx, run.conversation_id, asked.supersedeFromSeq, run.id, at);
    await appendMessages(
      tx,
      run.conversation_id,
      [...(asked.userMessage ? [asked.userMessage] : []), answerMessage(run, request)],
      at,
    );
    changed(tx, caller.accountId, 'balance', caller.accountId);
    changed(tx, caller.accountId, 'conversation', run.conversation_id);
    return {
      answer: await answerOf(tx, deps, caller, run),
      turn: { run, model, messages, inputEstimate: sized.inputEstimate },
      limits,
    };
  });
}

const NOTHING_USED: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, estimated: true };

async function answerOf(db: Reader, { policy, clock }: TurnDeps, caller: Caller, run: RunRow): Promise<RunAnswer> {
  return { run: toRun(run), balance: await balanceOf(db, policy, caller.accountId, clock.now()) };
}

/** A retry is compared whole. */
function sameRun(known: RunRow, caller: Caller, hash: string): RunRow {
  if (known.account_id !== caller.accountId || known.request_hash !== hash) throw reused();
  return known;
}

const reused = () =>
  new AppError('run_id_reused', 'A run id names one request, for ever. Make a new id; nothing was started.');

export const shuttingDown = () =>
  new AppError('shutting_down', 'The server is restarting. Nothing was started; try again in a moment.');

export function insufficient(
  deps: TurnDeps,
  caller: Caller,
  { availableMicro, amountMicro }: { availableMicro: number; amountMicro: number },
): AppError {
  const wayOn = deps.signInOffered
    ? 'Sign in to go on.'
    : 'This server offers no sign-in: its operator can allow more messages.';
  const detail =
    caller.accountKind === 'guest'
      ? `Your free messages are used up. ${wayOn}`
      : 'What is left does not cover this request. Send less, choose a cheaper model, or add credits.';
  return new AppError('insufficient_credits', detail, { availableMicro, neededMicro: amountMicro });
}

async function openConversation(tx: Tx, caller: Caller, request: RunRequest, at: number) {
  const claim = () => claimConversation(tx, caller.accountId, request.conversationId, at);
  if (await claim()) return;
  if (request.replaces || request.continues) throw notFound('conversation');
  if (repairOf(request)) throw notFound('conversation');
  const made = await createConversation(tx, {
    id: request.conversationId,
    account_id: caller.accountId,
    title:
      request.kind === 'edit'
        ? titleOf('edit', editWords(request.input), editPaths(request.input))
        : titleOf('chat', request.input.text, pathsOf(request.input)),
    kind: request.kind,
    created_at: at,
    updated_at: at,
  });
  // Taken: by this account in the same instant, or by another account, which is not told.
  if (!made && !(await claim())) throw notFound('conversation');
}

const repairOf = ({ kind, input }: RunRequest): RepairEdit | null =>
  kind === 'edit' && 'repairs' in input ? input : null;

const pathsOf = ({ attachments = [] }: ChatInput) =>
  attachments.flatMap((a) => ('path' in a && a.path !== undefined ? [a.path] : []));

/** What is to be answered: the turns of the prompt, and what the conversation gains and loses by it. */
interface Asked {
  turns: Turn[];
  continuing: boolean;
  userMessage: NewMessage | null;
  userMessageId: string | null;
  supersedeFromSeq: number | null;
}

async function askedOf(tx: Tx, deps: TurnDeps, request: RunRequest): Promise<Asked> {
  const history = await readHistory(tx, request.conversationId);
  if (request.continues) {
    // An answer that goes on has the question it had: anything said here would be lost.
    const adds = request.kind === 'edit' || request.input.text.trim() !== '' || request.input.attachments?.length;
    if (adds || request.replaces)
      throw new AppError(
        'invalid_request',
        'continues goes with an empty text, and with neither attachments nor replaces.',
      );
    return continued(history, request.continues);
  }
  const repair = repairOf(request);
  if (repair) {
    if (request.replaces) throw new AppError('invalid_request', 'A repair goes without replaces.');
    const repaired = await repairedBy(tx, request.conversationId, history, repair.repairs);
    const asked = await newMessage(tx, deps, request);
    return {
      turns: [...repaired.map(toTurn), asked.turn],
      continuing: false,
      userMessage: asked.message,
      userMessageId: asked.message.id,
      supersedeFromSeq: null,
    };
  }
  const target = request.replaces ? history.find((m) => m.id === request.replaces) : undefined;
  if (request.replaces && !target) throw notFound('message');
  if (target?.role === 'assistant' && request.kind === 'chat' && request.input.text === '') {
    const question = history.findLast((m) => m.role === 'user' && m.seq < target.seq);
    if (!question) throw notFound('message');
    const kept = history.filter((m) => m.seq <= question.seq);
    // An answer that was continued is several messages: all of them are answered anew.
    return {
      turns: kept.map(toTurn),
      continuing: false,
      userMessage: null,
      userMessageId: question.id,
      supersedeFromSeq: question.seq + 1,
    };
  }
  const kept = target ? history.filter((m) => m.seq < target.seq) : history;
  const asked = await newMessage(tx, deps, request);
  return {
    // An edit says all by itself.
    turns: request.kind === 'edit' ? [asked.turn] : [...kept.map(toTurn), asked.turn],
    continuing: false,
    userMessage: asked.message,
    userMessageId: asked.message.id,
    supersedeFromSeq: target?.seq ?? null,
  };
}

/** The edit of files that a repair is for, and its answer; refuses what can't be repaired. */
async function repairedBy(tx: Tx, conversationId: string, history: HistoryMessage[], runId: string) {
  const run = await findRun(tx, runId);
  const question = history.find((m) => m.id === run?.user_message_id);
  const answer = history.find((m) => m.id === run?.message_id);
  if (run?.conversation_id !== conversationId || !question || !answer) throw notFound('run');
  if (!('edit' in question.extras && 'files' in question.extras.edit))
    throw new AppError('invalid_request', 'Only an edit of files can be repaired, and a repair is not repaired again.');
  if (run.state !== 'complete' || answer.text.trim() === '')
    throw new AppError('nothing_to_repair', 'That edit did not come to its end. Nothing was started: ask for it anew.');
  if (await isRepaired(tx, runId))
    throw new AppError('already_repaired', 'An edit is repaired once. Nothing was started: ask for it anew.');
  return [question, answer];
}

function continued(history: HistoryMessage[], runId: string): Asked {
  const last = history.at(-1);
  if (!history.some((m) => m.runId === runId)) throw notFound('run');
  const isWhole = last?.state === 'complete' && !last.cutShort;
  if (last?.runId !== runId || last.role !== 'assistant' || last.kind !== 'chat' || isWhole)
    throw new AppError(
      'nothing_to_continue',
      'Only the last answer can go on, and only if it was cut off. Nothing was started.',
    );
  const turns = history.map(toTurn);
  return {
    turns,
    continuing: last.text.trim() !== '',
    userMessage: null,
    userMessageId: null,
    supersedeFromSeq: null,
  };
}

async function newMessage(
  tx: Tx,
  { ids }: TurnDeps,
  request: RunRequest,
): Promise<{ message: NewMessage; turn: Turn }> {
  const head = { id: ids.next(), role: 'user' as const, kind: request.kind, run_id: request.id };
  if (request.kind === 'edit') {
    const edit = request.input;
    const text = editWords(edit);
    const extras: MessageExtras = { edit };
    return {
      message: { ...head, text, attachments: JSON.stringify(extras) },
      turn: { role: 'user', text, edit },
    };
  }
  const { text } = request.input;
  const attachments: StoredAttachment[] = [];
  for (const given of request.input.attachments ?? []) {
    const attachment = 'text' in given ? given : await readAttachment(tx, request.conversationId, given.id);
    if (!attachment) throw notFound('attachment');
    attachments.push(attachment);
  }
  if (text.trim() === '' && attachments.length === 0)
    throw new AppError('invalid_request', 'There is nothing to answer: write something or attach something.');
  const extras: MessageExtras = { attachments };
  return {
    message: { ...head, text, attachments: attachments.length > 0 ? JSON.stringify(extras) : null },
    turn: { role: 'user', text, attachments },
  };
}

function toTurn({ role, text, extras }: HistoryMessage): Turn {
  return { role, text, ...('edit' in extras ? { edit: extras.edit } : { attachments: extras.attachments }) };
}

function answerMessage(run: RunRow, request: RunRequest): NewMessage {
  return {
    id: run.message_id,
    role: 'assistant',
    kind: run.kind,
    text: '',
    run_id: run.id,
    state: 'running',
    model: run.model,
    continues: request.continues ?? null,
    device: run.device,
    clamped_to: run.clamped_to,
  };
}

/** How large the prompt is, and how long the answer may be by the model's own limits. Refuses what can't fit. */
function size(
  caller: Caller,
  model: AdmittedTurn['model'],
  messages: PromptMessage[],
  turns: Turn[],
): { inputEstimate: number; inputBound: number; outputLimit: number } {
  const inputEstimate = estimatePromptTokens(messages);
  const inputBound = boundPromptTokens(messages);
  // A guest's context is what it may send plus what it may get; a member shares the window between both.
  const isGuest = caller.accountKind === 'guest';
  const limitTokens = isGuest ? model.contextTokens - model.maxOutputTokens : model.contextTokens - MIN_OUTPUT_TOKENS;
  // A guest's run has one price, so its length is what it can cost the house: text that the estimate takes for short, and
  // that no language is, has to fit by its bytes.
  const bytesTooMany = isGuest && inputBound > limitTokens * MAX_BYTES_A_TOKEN;
  if (inputEstimate > limitTokens || bytesTooMany) {
    const drop = droppable(turns);
    throw new AppError(
      'context_too_long',
      `This is about ${inputEstimate} tokens, and ${isGuest ? 'a guest may send' : `${model.name} reads`} ${limitTokens} at most. Drop ${drop[0]?.what ?? 'a part of it'} first.`,
      { limitTokens, drop },
    );
  }
  return { inputEstimate, inputBound, outputLimit: outputLimitOf(model, inputEstimate) };
}
