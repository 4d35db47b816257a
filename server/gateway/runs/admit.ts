import { createHash } from 'node:crypto';
import type { Attachment } from '../../../shared/conversations.ts';
import type { Model } from '../../../shared/models.ts';
import { MIN_OUTPUT_TOKENS } from '../../../shared/money/pricing.ts';
import type { RunAnswer, RunRequest } from '../../../shared/runs.ts';
import { balanceOf } from '../../accounts/people/store.ts';
import { type PromptSize, readHeads } from '../../conversations/attachments.ts';
import { findFirst, forgetSizes } from '../../conversations/history.ts';
import {
  appendMessages,
  changeConversation,
  claimConversation,
  createConversation,
  type NewMessage,
  supersedeFrom,
} from '../../conversations/store.ts';
import { type HoldAnswer, placeHold } from '../../credits/holds/store.ts';
import { topUp } from '../../credits/holds/topUp.ts';
import type { LimitState } from '../../credits/rules/limitWindow.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { AnswerRow, ConversationRow } from '../../platform/db/schema.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import type { AppEnv } from '../../platform/http/env.ts';
import { requireStanding } from '../../platform/http/standing.ts';
import { editPaths, editWords } from '../prompt/editPrompt.ts';
import { buildPrompt, dropsOf, promptFrame, titleOf } from '../prompt/prompt.ts';
import { boundPromptTokens, estimatePromptTokens, MESSAGE_OVERHEAD_TOKENS } from '../prompt/tokens.ts';
import type { PromptMessage } from '../stream.ts';
import {
  type Added,
  type Asked,
  askedOf,
  lastOf,
  Mismeasured,
  measure,
  readAsked,
  repairOf,
  sizeOfAsked,
  Unmeasured,
} from './asked.ts';
import { type ChainSize, clampChain, requireServed, worstOf } from './chain.ts';
import { compactingPrompt, MAX_BYTES_A_TOKEN, sizeOfCompacting } from './compacting.ts';
import { countOrRefuse, refuseFailures, refuseSuspended } from './limited.ts';
import { type PromptPictures, picturesOf, refuseBeyondKept } from './pictures.ts';
import { findOpenRun, findRun, insertRun, NOTHING_USED, toRun } from './runs.ts';
import type { AdmittedTurn, TurnDeps } from './turn.ts';

export type Caller = Pick<
  AppEnv['Variables'],
  | ('accountId' | 'accountKind' | 'tier' | 'device' | 'isLocal' | 'suspended' | 'goneAt' | 'termsDue' | 'accountPage')
  | 'notes'
>;

/** Of the pictures that a service gets. */
const namesOf = (messages: readonly PromptMessage[]) =>
  messages.flatMap(({ images = [] }) => images.map(({ name }) => name));

/** A picture's bytes, and what is made of them for a service: base64, a third longer. */
const MEMORY_OF_PICTURES = 2.4;

export interface Admission {
  answer: RunAnswer;
  /** The turn to answer now; null if this request had been admitted before. */
  turn: AdmittedTurn | null;
  /** The request began its conversation. */
  isFirst: boolean;
  /** The account's limits after admission. Empty if nothing was admitted now or the account has no limits. */
  limits: readonly LimitState[];
}

/**
 * Admits a run: refuses with a named reason, or stores the messages, the run and its hold in one transaction. A retry
 * of the same request returns the run that it started; another request with the same id is refused.
 */
export async function admitRun(deps: TurnDeps, caller: Caller, request: RunRequest): Promise<Admission> {
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  const admittedBefore = async (db: Reader) => {
    const known = await findRun(db, request.id);
    return (
      known && {
        answer: await answerOf(db, deps, caller, sameRun(known, caller, hash)),
        turn: null,
        isFirst: false,
        limits: [],
      }
    );
  };
  // Check this first: a retry gets its run, whatever has happened to the server or its model service since.
  const before = await admittedBefore(deps.db.read);
  if (before) return before;
  requireStanding(caller);
  const model = await deps.catalog.find(caller.accountKind, request.model);
  requireEffort(model, request.effort);
  const limitTokens = promptLimit(caller, model);
  const usable = await deps.catalog.list(caller.accountKind);
  let leave = () => {};
  const attempt = () =>
    deps.db.write(async (tx) => {
      if (deps.draining.aborted) throw shuttingDown();
      const at = deps.clock.now();
      const conversation = await openConversation(tx, caller, request, at);
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
      const pictures = await picturesOf(tx, caller, model, request.conversationId, asked);
      leave();
      if (pictures.bytes > 0) leave = deps.waiting.take(caller.accountId, pictures.bytes * MEMORY_OF_PICTURES);
      const sized = await size(tx, caller, model, request, asked, pictures);
      const fits = (other: Model) =>
        sized.inputEstimate <= promptLimit(caller, other) && (pictures.count === 0 || other.vision === true);
      const chain = deps.catalog.chain(model, usable, fits);
      requireServed(deps.upstream, chain, usable);
      if (caller.isLocal)
        await topUp(tx, { accountId: caller.accountId, runId: request.id, neededMicro: worstOf(chain, sized), at });
      let clamped = clampChain(chain, sized, 0);
      const hold = await placeHold(tx, {
        id: deps.ids.next(),
        accountId: caller.accountId,
        runId: request.id,
        // Computed while the wallet is locked: of two concurrent requests, the second gets what the first leaves.
        amountMicro(availableMicro) {
          clamped = clampChain(chain, sized, availableMicro);
          return clamped.neededMicro;
        },
        at,
      });
      if (hold.kind === 'held_before') throw reused();
      requireHeld(deps, caller, hold);
      await refuseSuspended(tx, caller, at);
      await refuseBeyondKept(tx, caller, asked);
      const [{ maxOutputTokens: outputLimit }, ...fallbacks] = clamped.links;
      const run: AnswerRow = {
        id: request.id,
        conversation_id: request.conversationId,
        account_id: caller.accountId,
        user_message_id: asked.added?.id ?? asked.questionId,
        message_id: deps.ids.next(),
        kind: request.kind,
        model: model.id,
        state: 'running',
        device: caller.device,
        request_hash: hash,
        max_output_tokens: outputLimit,
        owner_node: deps.node,
        // Not from `at`: this may have waited long for the wallet.
        lease_until: deps.clock.now() + deps.leaseMs,
        stop_requested: 0,
        checkpoint: JSON.stringify(NOTHING_USED),
        price: JSON.stringify(model.price),
        last_seq: 0,
        created_at: at,
        ended_at: null,
        outcome: null,
        repairs: repairOf(request)?.repairs ?? null,
        clamped_to: outputLimit < clamped.longest ? outputLimit : null,
        request_id: caller.notes?.id ?? null,
        effort: request.effort ?? null,
        compacts: asked.compacting ? 1 : null,
      };
      // The hold has locked the wallet, so the account's other requests, on any node, are counted after this one.
      const limits = await countOrRefuse(tx, deps.policy, caller, run, sized.inputEstimate + outputLimit);
      if (!(await insertRun(tx, run))) throw reused();
      // Read only now that nothing can be refused any more, and never more than the model can read.
      const { turns, message } = await readAsked(tx, run.conversation_id, asked, {
        withPictures: pictures.sent,
      });
      const messages = asked.compacting
        ? compactingPrompt(turns, model, limitTokens)
        : buildPrompt(request.kind, turns, asked.continuing);
      if (boundPromptTokens(messages) > sized.inputBound)
        throw new Mismeasured('a prompt is longer than it was measured');
      if (asked.supersedeFromSeq !== null) {
        if (asked.added && conversation) await retitle(tx, conversation, request, asked.added);
        await supersedeFrom(tx, run.conversation_id, asked.supersedeFromSeq, run.id, at);
      }
      await appendMessages(tx, run.conversation_id, [...(message ? [message] : []), answerMessage(run, request)], at);
      changed(tx, caller.accountId, 'balance', caller.accountId);
      changed(tx, caller.accountId, 'conversation', run.conversation_id);
      return {
        answer: await answerOf(tx, deps, caller, run),
        turn: {
          run,
          model,
          messages,
          fallbacks,
          ...sized,
          notes: caller.notes,
          leave: () => leave(),
          pictures: namesOf(messages),
        },
        isFirst: conversation === undefined,
        limits,
      };
    });
  for (let isAnew = false; ; )
    try {
      return await attempt();
    } catch (error) {
      leave();
      if (error instanceof Mismeasured && !isAnew) {
        isAnew = true;
        await deps.db.write((tx) => forgetSizes(tx, request.conversationId));
      } else if (!(error instanceof Unmeasured)) throw error;
      await measure(deps.db, request.conversationId, request.compacts ? Number.POSITIVE_INFINITY : limitTokens);
    }
}

async function answerOf(db: Reader, { policy, clock }: TurnDeps, caller: Caller, run: AnswerRow): Promise<RunAnswer> {
  return { run: toRun(run), balance: await balanceOf(db, policy, caller.accountId, clock.now()) };
}

/** A retry must match the original request completely. */
function sameRun(known: AnswerRow, caller: Caller, hash: string): AnswerRow {
  if (known.account_id !== caller.accountId || known.request_hash !== hash) throw reused();
  return known;
}

const reused = () =>
  new AppError(
    'run_id_reused',
    'This id belongs to an earlier request with other contents. Nothing was started: make a new id.',
  );

export const shuttingDown = () =>
  new AppError('shutting_down', 'The server is restarting. Nothing was started; try again in a moment.');

/** Refuses what no hold could be placed for. A key's cap is the caller's to tell: only calls have one. */
export function requireHeld(deps: TurnDeps, caller: Caller, hold: HoldAnswer): void {
  if (hold.kind === 'closed')
    throw new AppError(
      'unauthorized',
      'This guest was merged into an account. Nothing was started: sign in to that account.',
    );
  if (hold.kind === 'insufficient') throw insufficient(deps, caller, hold);
  if (hold.kind !== 'held') throw new Error(`no hold: ${hold.kind}`);
}

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

/** The conversation that a request continues; undefined if it starts one. */
async function openConversation(
  tx: Tx,
  caller: Caller,
  request: RunRequest,
  at: number,
): Promise<ConversationRow | undefined> {
  const claim = () => claimConversation(tx, caller.accountId, request.conversationId, at);
  const known = await claim();
  if (known) return known;
  if (request.replaces || request.continues || request.compacts) throw notFound('conversation');
  if (repairOf(request)) throw notFound('conversation');
  const made = await createConversation(tx, {
    id: request.conversationId,
    account_id: caller.accountId,
    title: titleFor(request, givenBy(request)),
    kind: request.kind,
    created_at: at,
    updated_at: at,
  });
  // The id is taken: by this account just now, or by another account, which we don't reveal.
  if (made) return undefined;
  const taken = await claim();
  if (!taken) throw notFound('conversation');
  return taken;
}

/** The title that a request gives. */
function titleFor(request: RunRequest, attached: Parameters<typeof pathsOf>[0]): string {
  if (request.kind === 'edit') return titleOf('edit', editWords(request.input), editPaths(request.input));
  return titleOf('chat', request.input.text, pathsOf(attached));
}

const givenBy = ({ kind, input }: RunRequest) =>
  kind === 'chat' ? (input.attachments ?? []).flatMap((one) => ('id' in one ? [] : [one])) : [];

/** The others name no file: a command, a commit; and instructions go along with any question. */
const OF_FILES = new Set<Attachment['kind']>(['file', 'selection', 'symbol', 'found', 'folder', 'image']);
export const pathsOf = (attached: readonly { kind: Attachment['kind']; path?: string }[]) =>
  attached.flatMap(({ kind, path }) => (OF_FILES.has(kind) && path) || []);

/**
 * When the first message is replaced, the title changes with it, also one that a model gave or is giving: that is about
 * what was replaced. A title that the user chose stays.
 */
async function retitle(
  tx: Tx,
  { id, account_id, title, titled }: ConversationRow,
  request: RunRequest,
  { attached }: Added,
): Promise<void> {
  if (titled === 'user') return;
  const first = await findFirst(tx, id);
  if (!first || first.id !== request.replaces) return;
  const heads = (await readHeads(tx, [first.id])).get(first.id) ?? [];
  const given = titleOf(first.kind, first.text, pathsOf(heads));
  if (given === title || titled !== null)
    await changeConversation(tx, account_id, id, { title: titleFor(request, attached), titled: null });
}

function answerMessage(run: AnswerRow, request: RunRequest): NewMessage {
  const row = {
    id: run.message_id,
    role: 'assistant' as const,
    kind: run.kind,
    text: '',
    run_id: run.id,
    state: 'running' as const,
    model: run.model,
    continues: request.continues ?? null,
    device: run.device,
    clamped_to: run.clamped_to,
    effort: run.effort,
    summary: run.compacts,
  };
  return { row };
}

/** Refuses what the model can not be asked for: a service may ignore an effort that it does not know. */
function requireEffort({ name, efforts = [] }: Model, effort: string | undefined): void {
  if (effort === undefined || efforts.includes(effort)) return;
  const wayOn =
    efforts.length > 0 ? `There is: ${efforts.join(', ')}.` : 'Send no "effort": it thinks as it does by itself.';
  throw new AppError('effort_unknown', `${name} knows no effort "${effort}". Nothing was started. ${wayOn}`);
}

/** The most tokens that a prompt may have, by the model's own limits. */
export function promptLimit(
  { accountKind }: Caller,
  { contextTokens, maxOutputTokens }: AdmittedTurn['model'],
): number {
  // A guest's context is the prompt limit plus the output limit; a member shares the window between both.
  return contextTokens - (accountKind === 'guest' ? maxOutputTokens : MIN_OUTPUT_TOKENS);
}

/** The prompt's size. Refuses what can't fit, except what is summarised: that is cut. */
async function size(
  tx: Tx,
  caller: Caller,
  model: AdmittedTurn['model'],
  { conversationId, kind }: RunRequest,
  asked: Asked,
  { tokensBound, leftOut }: PromptPictures,
): Promise<Required<ChainSize>> {
  const limitTokens = promptLimit(caller, model);
  const { compacting } = asked;
  const most = compacting ? Number.POSITIVE_INFINITY : limitTokens;
  const { earlier, all } = await sizeOfAsked(tx, conversationId, asked, most);
  if (leftOut.tokens > all.tokens || leftOut.bytes > all.bytes)
    throw new Mismeasured('more is left out than was measured');
  const frame = promptFrame(kind, asked.added?.edit, asked.continuing, compacting);
  const overhead = all.messages * MESSAGE_OVERHEAD_TOKENS;
  const inputEstimate = estimatePromptTokens(frame) + all.tokens - leftOut.tokens + overhead;
  const inputBound = boundPromptTokens(frame) + all.bytes - leftOut.bytes + overhead;
  if (compacting) return sizeOfCompacting(model, limitTokens, { inputEstimate, inputBound });
  const isGuest = caller.accountKind === 'guest';
  // A guest's run has one price, so its length decides what it can cost us. Nonsense text can have more tokens than the
  // estimate says, so it must also fit by its bytes.
  const bytesTooMany = isGuest && inputBound - tokensBound > limitTokens * MAX_BYTES_A_TOKEN;
  if (inputEstimate > limitTokens || bytesTooMany) {
    const drop = dropsOf(await lastOf(tx, asked, earlier.tokens));
    throw new AppError(
      'context_too_long',
      `This is about ${inputEstimate} tokens, and ${isGuest ? 'a guest may send' : `${model.name} reads`} ${limitTokens} at most. Drop ${drop[0]?.what ?? 'a part of it'} first.`,
      { limitTokens, drop, compactable: isCompactable(kind, earlier, all, limitTokens) },
    );
  }
  return { inputEstimate, inputBound, limitTokens: null };
}

/** Whether a summary of the earlier messages would make enough room. */
function isCompactable(kind: RunRequest['kind'], earlier: PromptSize, all: PromptSize, limitTokens: number) {
  const rest = all.tokens - earlier.tokens;
  return (kind === 'chat' && earlier.tokens > 0 && rest < limitTokens * 0.75) || undefined;
}
