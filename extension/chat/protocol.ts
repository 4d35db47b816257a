import * as z from 'zod';
import type { Account, Balance } from '../../shared/account.ts';
import { MAX_REFERENCE } from '../../shared/answers/fileReferences.ts';
import type { ConversationSummary, Message } from '../../shared/conversations.ts';
import type { Model } from '../../shared/models.ts';
import type { Problem } from '../../shared/problems.ts';
import { AttachmentKindSchema, LineRangeSchema, MAX_ATTACHMENTS, MAX_TEXT } from '../../shared/runs.ts';

/**
 * What the chat's web view and its host say to each other. The web view renders text that a model wrote and is trusted
 * with nothing: the host parses each of its messages with `ToHostSchema`, owns all state, and sends it whole on `ready`.
 */

/** A chip in the composer. Its text stays with the host. */
export const ChipSchema = z.object({
  id: z.string().max(200),
  kind: AttachmentKindSchema,
  label: z.string().max(4200).describe('"client.ts:12–40", "2 problems", "Uncommitted changes"'),
  path: z.string().optional(),
  range: LineRangeSchema.optional(),
  tokens: z.int().describe('estimate, for the context meter'),
  lines: z.int().optional().describe('that go along, of what goes along unasked'),
  implicit: z.enum(['selection', 'visible']).optional().describe('goes along unasked: what the editor shows'),
});
export type Chip = z.infer<typeof ChipSchema>;

/** Conversations by what they began as. */
const HistoryKindSchema = z.enum(['chat', 'edit']).nullable();
export type HistoryKind = z.infer<typeof HistoryKindSchema>;

const Id = z.uuid();
/** An earlier message that is edited in place; else the composer is meant. */
const To = Id.optional();
const Code = z.string().max(MAX_TEXT);
const Block = z.string().regex(/^[a-z0-9]{1,20}$/);

export const ToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /**
   * `requestId` is answered by `sent` or `notSent`; the composer keeps its text until `sent`. The same request may come again
   * from a page that was made anew: it is carried out once. `chatId` is the chat it was written in.
   */
  z.object({
    type: z.literal('send'),
    requestId: z.string().max(100),
    chatId: Id.optional(),
    text: z.string().max(MAX_TEXT),
    /** A user's message that is edited: it and all after it are replaced; its attachments named in `keep` stay. */
    replaces: Id.optional(),
    keep: z.array(z.string().max(200)).max(50).optional(),
    /** Chips in the composer that do not go along. */
    without: z.array(z.string().max(200)).max(1000).optional(),
    /** The implicit chip that is shown beside it: no other goes along. */
    implicit: z.string().max(200).optional(),
  }),
  /**
   * Asks what became of a `send` of an earlier page, and sends nothing: answered by `sent`, `neverSent`, or `notSent` with
   * why it is not known. Unless it was sent, its text is put back into the draft of its chat.
   */
  z.object({
    type: z.literal('findSent'),
    requestId: Id,
    chatId: Id,
    text: z.string().max(MAX_TEXT),
    replaces: Id.optional(),
  }),
  z.object({ type: z.literal('stop'), runId: Id }),
  z.object({ type: z.literal('regenerate'), messageId: Id }),
  z.object({ type: z.literal('continue'), runId: Id }),
  /** What stands in the composer of a chat. */
  z.object({ type: z.literal('draft'), text: z.string().max(MAX_TEXT), chatId: Id.optional() }),
  z.object({ type: z.literal('newChat') }),
  z.object({ type: z.literal('openConversation'), id: Id }),
  z.object({ type: z.literal('loadEarlier'), before: Id }),
  z.object({
    type: z.literal('history'),
    search: z.string().max(500),
    kind: HistoryKindSchema,
    before: z.string().max(300).nullable(),
  }),
  z.object({ type: z.literal('rename'), id: Id, title: z.string().trim().min(1).max(200) }),
  z.object({ type: z.literal('delete'), id: Id }),
  z.object({ type: z.literal('export'), id: Id }),
  /** The earlier message that is edited in place, if any. `dropped`: such an edit was given up, with what was attached. */
  z.object({ type: z.literal('editing'), messageId: Id.nullable(), dropped: To }),
  /** `pick` lets the user choose a file; the others take what the editor shows. */
  z.object({ type: z.literal('attach'), kind: z.enum(['pick', 'file', 'selection', 'problems', 'diff']), to: To }),
  /** What the editor shows goes along again, after it was removed. */
  z.object({ type: z.literal('attachImplicit') }),
  /** A choice from `mentions`. */
  z.object({ type: z.literal('attachMention'), id: z.string().max(4200) }),
  /** A text file that was pasted or dropped, with its text. */
  z.object({ type: z.literal('attachText'), name: z.string().min(1).max(255), text: Code, to: To }),
  /** Files that were dropped from the editor's own lists. */
  z.object({ type: z.literal('attachFiles'), uris: z.array(z.string().max(8000)).min(1).max(MAX_ATTACHMENTS), to: To }),
  z.object({ type: z.literal('detach'), id: z.string().max(200), to: To }),
  z.object({ type: z.literal('mentions'), requestId: z.string().max(100), query: z.string().max(500) }),
  z.object({ type: z.literal('suggestion'), id: z.string().max(100) }),
  z.object({ type: z.literal('selectModel'), id: z.string().max(200) }),
  /** A block of an answer, to a file. `block` is the web view's name for it: what becomes of it is told by that. */
  z.object({
    type: z.literal('apply'),
    messageId: Id,
    block: Block,
    text: Code,
    language: z.string().max(100),
    path: z.string().max(4096).optional(),
    /** The answer leaves open which file it means: the user is asked, whichever is in front. */
    isUnclear: z.literal(true).optional(),
    /** The words by which it names the file, for one who knows the workspace's paths. */
    spoken: z.object({ info: z.string().max(4096), prose: z.string().max(4096) }).optional(),
  }),
  /** All blocks of an answer, which the host has itself. `blocks`: the web view's names for them. */
  z.object({
    type: z.literal('applyAll'),
    messageId: Id,
    blocks: z
      .array(
        z.object({
          block: Block,
          text: Code,
          language: z.string().max(100).optional(),
          path: z.string().max(4096).optional(),
        }),
      )
      .max(1_000),
  }),
  /** Has a model place a block that has no place in its file, which is charged. */
  z.object({ type: z.literal('placeCode'), messageId: Id, block: Block }),
  /** Shows a block that has no place in its file beside that file. */
  z.object({ type: z.literal('compareCode'), messageId: Id, block: Block, text: Code }),
  /** Shows where the user decides about a block, or about all of them. */
  z.object({ type: z.literal('showReview'), messageId: Id, block: Block.optional() }),
  /** Something that was accepted: is taken back, or applied again. */
  z.object({ type: z.literal('takeBack'), checkpointId: Id }),
  z.object({ type: z.literal('applyAgain'), checkpointId: Id }),
  z.object({ type: z.literal('copy'), text: Code }),
  z.object({ type: z.literal('insert'), text: Code }),
  z.object({ type: z.literal('newFile'), text: Code, languageId: z.string().max(100).optional() }),
  /** Shown to the user by the editor's own confirmation before anything opens. */
  z.object({ type: z.literal('openLink'), href: z.string().max(8000) }),
  /** Words of answers that may be files: `files` says which are there. */
  z.object({ type: z.literal('findFiles'), paths: z.array(z.string().max(MAX_REFERENCE)).min(1).max(50) }),
  /** Opens a file of the workspace. Lines and columns are counted from 1. */
  z.object({
    type: z.literal('openFile'),
    path: z.string().max(MAX_REFERENCE),
    line: z.int().min(1).optional(),
    column: z.int().min(1).optional(),
  }),
  z.object({
    type: z.literal('command'),
    command: z.enum([
      'showQuota',
      'signIn',
      'continueAsGuest',
      'openAccount',
      'acceptTerms',
      'openSettings',
      'startServer',
    ]),
  }),
  z.object({ type: z.literal('reconnect') }),
  /** Screen readers apart: a failure inside the web view, for the log. Carries no text of the user's. */
  z.object({ type: z.literal('failed'), message: z.string().max(2000) }),
]);
export type ToHost = z.infer<typeof ToHostSchema>;

/** offline: the server can't be reached; wrongServer: something else answers there. `detail` says what to do. */
export type Connection =
  | { state: 'connecting' }
  | { state: 'ok' }
  | { state: 'offline' | 'wrongServer'; detail: string }
  /** `isMember`: a member's sign-in has ended. `isNew`: nobody was here before. */
  | { state: 'signedOut'; detail: string; isMember: boolean; isNew: boolean };

/** The codicons by whose names the host tells what something is. */
export type HostIcon =
  | 'comment-discussion'
  | 'file'
  | 'git-commit'
  | 'git-merge'
  | 'lightbulb'
  | 'list-selection'
  | 'regex'
  | 'warning';

export interface Suggestion {
  id: string;
  icon: HostIcon;
  label: string;
}

export interface Mention {
  id: string;
  icon: HostIcon;
  label: string;
  detail?: string;
}

/** What the composer and its surroundings show; sent whole whenever a part changes (it is small). */
export interface Surroundings {
  connection: Connection;
  account: Account | null;
  balance: Balance | null;
  models: Model[];
  modelId: string | null;
  /** All that goes along with the next message: what is attached, and last what goes along unasked. */
  chips: Chip[];
  /** Those of the earlier message that is edited in place. */
  edited?: { messageId: string; chips: Chip[] };
  /** What the editor shows that could be attached now. */
  attachable: Chip['kind'][];
  /** What would go along unasked, and doesn't: it was removed here, or `why`. */
  leftOut?: { label: string; why?: string };
  suggestions: Suggestion[];
  /** Tokens of the conversation so far (the last answer's input and output), for the context meter. */
  contextTokens: number;
  /** What a new member gets, in credits; absent where the server offers no sign-in, and then none is offered here. */
  signInCredits?: number;
  /** Whether one can go on as a guest; absent as long as that is not known. */
  guests?: boolean;
  /** Name of this device, to tell "answering elsewhere". */
  device: string;
  /** What the operator tells everybody now; absent if nothing. */
  told?: { id: string; text: string }[];
}

/** How it stands with applying a block, or all of an answer. The sentences are for the user. */
export type ApplyState =
  | { state: 'applying' }
  /** `paths`: of its files in the workspace that stand so. `isPart`: some of its hunks were rejected. */
  | { state: 'applied'; paths?: string[]; isPart?: true }
  /** `why`: what is not in it. */
  | { state: 'review'; why?: string }
  /** `file`: name of the one file that it is for, which has no place for it. */
  | { state: 'refused'; why: string; file?: string }
  | { state: 'nothing'; why: string };

/** Something that was accepted of what an answer proposed. */
export interface ShownCheckpoint {
  id: string;
  /** ISO 8601. */
  at: string;
  files: ShownCheckpointFile[];
}

export interface ShownCheckpointFile {
  path: string;
  change: 'updated' | 'created' | 'deleted' | 'moved';
  /** Lines. */
  added: number;
  removed: number;
  /** The first line that it changed, counted from 1. */
  line?: number;
  isTakenBack: boolean;
}

/** What became of the changes that an answer proposed. */
export interface AnswerChanges {
  /** By block. One that is not in it was not applied. */
  blocks: Record<string, ApplyState>;
  /** Of the last time that all blocks were to be applied at once, as long as that says anything. */
  all?: ApplyState;
  /** Oldest first. */
  checkpoints: ShownCheckpoint[];
}

export type FromHost =
  | { type: 'surroundings'; value: Surroundings }
  /** What became of the changes that the answers of the open conversation proposed, by message; sent whole. */
  | { type: 'changes'; value: Record<string, AnswerChanges> }
  /** Another conversation, or this one anew. `draft` is what was left in its composer. */
  | {
      type: 'conversation';
      /** Null for a chat that the server does not know (yet). */
      id: string | null;
      /** The host's name for this chat: the same before and after the server knows it. */
      chatId?: string;
      /** What stands in the composer comes along from the chat that was shown. */
      moved?: true;
      title: string;
      messages: Message[];
      before: string | null;
      draft: string;
      /** Runs of this conversation that were not started by this window. */
      elsewhere: string[];
    }
  | { type: 'earlier'; messages: Message[]; before: string | null }
  /** New or changed messages, by id; `removed` are gone (superseded). */
  | { type: 'messages'; upsert: Message[]; removed: string[]; title: string; elsewhere: string[] }
  /** More of a running answer: cut what stands from `at` on, then append. Several are sent as one at most each 30 ms. */
  | { type: 'text'; messageId: string; text: string; at: number }
  /** `text`: what was sent, where the page may know nothing of it. */
  | { type: 'sent'; requestId: string; text?: string }
  /** Nothing was started; what was typed stays. */
  | { type: 'notSent'; requestId: string; problem: Problem }
  /** The answer to `findSent`: the server was never asked, or did not take it. */
  | { type: 'neverSent'; requestId: string }
  /** Something else failed (history, export, rename): said in a dismissible line. `of`: what was asked for. */
  | {
      type: 'notice';
      level: 'info' | 'error';
      text: string;
      of?: ToHost['type'];
      action?: {
        label: string;
        command: 'reconnect' | 'signIn' | 'showQuota' | 'openSettings' | 'openAccount' | 'acceptTerms';
      };
    }
  | {
      type: 'historyPage';
      search: string;
      kind: HistoryKind;
      conversations: ConversationSummary[];
      before: string | null;
      first: boolean;
    }
  | { type: 'historyFailed'; search: string; kind: HistoryKind; text: string }
  | { type: 'mentions'; requestId: string; items: Mention[] }
  /** Of the paths that were asked about, those that one file of the workspace has. */
  | { type: 'files'; asked: string[]; found: string[] }
  /** Puts text into the composer (Explain Selection, a suggestion); `send` sends it at once. */
  | { type: 'compose'; text: string; send: boolean }
  | { type: 'focusComposer' }
  | { type: 'showHistory' };
