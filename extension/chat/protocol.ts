import * as z from 'zod';
import type { Account, Balance } from '../../shared/account.ts';
import { MAX_REFERENCE } from '../../shared/answers/fileReferences.ts';
import { MAX_ADDRESS, MAX_INSTRUCTIONS } from '../../shared/constants.ts';
import type { ConversationSummary, Message } from '../../shared/conversations.ts';
import { base64Length, MAX_IMAGE_BYTES } from '../../shared/media/images.ts';
import type { Model } from '../../shared/models.ts';
import type { Problem } from '../../shared/problems.ts';
import { AttachmentKindSchema, LineRangeSchema, MAX_ATTACHMENTS, MAX_TEXT } from '../../shared/runs.ts';

/**
 * The messages between the chat's web view and its host. The web view renders text that a model wrote, so it is not
 * trusted: the host parses each of its messages with `ToHostSchema`, owns all state, and sends it whole on `ready`.
 */

/** A chip in the composer. Its text stays with the host. */
export const ChipSchema = z.object({
  id: z.string().max(200),
  kind: AttachmentKindSchema,
  label: z.string().max(4200).describe('"client.ts:12–40", "2 problems", "Uncommitted changes"'),
  path: z.string().optional(),
  range: LineRangeSchema.optional(),
  tokens: z.int().describe('estimate, for the context meter'),
  /** The most tokens that a picture has, once its size is known. */
  mostTokens: z.number().optional(),
  note: z.string().optional().describe('what goes along of it: "9 of 12 files"'),
  leftOut: z.string().optional().describe('what does not, in a sentence'),
  isReading: z.literal(true).optional().describe('a web page that the server is reading'),
  failed: z.string().optional().describe('why a web page was not read, in sentences: it can be tried again'),
  lines: z.int().optional().describe('that go along, of what goes along unasked'),
  implicit: z.enum(['selection', 'visible']).optional().describe('goes along unasked: what the editor shows'),
});
export type Chip = z.infer<typeof ChipSchema>;

/** Filters conversations by how they began. */
const HistoryKindSchema = z.enum(['chat', 'edit']).nullable();
export type HistoryKind = z.infer<typeof HistoryKindSchema>;

const Id = z.uuid();
/** The earlier message that is edited in place; if absent, the composer. */
const To = Id.optional();
const Code = z.string().max(MAX_TEXT);
const AttachNowSchema = z.enum([
  ...['pick', 'file', 'selection', 'problems', 'diff', 'found'],
  ...['folder', 'symbol', 'commit', 'terminal', 'editors', 'page'],
] as const);
export type AttachNow = z.infer<typeof AttachNowSchema>;
const SymbolName = z.string().min(1).max(200);
const Block = z.string().regex(/^[a-z0-9]{1,20}$/);
/** A block is all of its file, or a part, so that lines which it lacks stay. */
const ReadingSchema = z.enum(['file', 'part']);
export type Reading = z.infer<typeof ReadingSchema>;

export const ToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /**
   * Answered by `sent` or `notSent` with the `requestId`; the composer keeps its text until `sent`. A recreated page
   * may repeat the request: it is carried out once. `chatId` is the chat in which it was written.
   */
  z.object({
    type: z.literal('send'),
    requestId: z.string().max(100),
    chatId: Id.optional(),
    text: z.string().max(MAX_TEXT),
    /** The user's message that is edited: it and all later ones are replaced. Its attachments in `keep` stay. */
    replaces: Id.optional(),
    keep: z
      .array(z.string().max(200))
      .max(MAX_ATTACHMENTS + MAX_INSTRUCTIONS)
      .optional(),
    /** Chips in the composer that are not sent. */
    without: z.array(z.string().max(200)).max(1000).optional(),
    /** The implicit chip that was shown. No other implicit chip is sent. */
    implicit: z.string().max(200).optional(),
    /** An answer ran when this was written: the message waits for its end. Then `sent` means that the host has it. */
    waits: z.literal(true).optional(),
  }),
  /** What happens to a message that waits. With `edit`, the view has put its `text` into the composer before. */
  z.object({
    type: z.literal('waiting'),
    id: Id,
    chatId: Id,
    deed: z.enum(['sendNow', 'edit', 'remove']),
    text: z.string().max(MAX_TEXT).optional(),
  }),
  /**
   * Asks about the `send` of an earlier page, and sends nothing. Answered by `sent`, by `neverSent`, or by `notSent`
   * with the reason why the result is unknown. Unless it was sent, its text goes back into the draft of its chat.
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
  /** The text in the composer of a chat. */
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
  z.object({ type: z.literal('pin'), id: Id, pinned: z.boolean() }),
  /** Which summary stands for all messages before it; null: none does. */
  z.object({ type: z.literal('summary'), id: Id, summary: Id.nullable() }),
  z.object({ type: z.literal('delete'), id: Id }),
  z.object({ type: z.literal('export'), id: Id }),
  /** Copies a whole conversation as Markdown. */
  z.object({ type: z.literal('copyConversation'), id: Id }),
  /**
   * The earlier message that is edited in place, if any. `dropped`: an edit that was cancelled, with its attachments.
   */
  z.object({ type: z.literal('editing'), messageId: Id.nullable(), dropped: To }),
  /**
   * `found` searches the workspace; `pick`, `folder`, `symbol`, `commit`, `terminal` and `page` ask the user which; the
   * others attach what the editor shows.
   */
  z.object({ type: z.literal('attach'), kind: AttachNowSchema, to: To }),
  /** Turns the implicit attachment on again after it was removed. */
  z.object({ type: z.literal('attachImplicit') }),
  /** Lets instructions go along with the questions of this chat, or leaves them out. */
  z.object({ type: z.literal('instructions'), on: z.boolean() }),
  /** The list of commands was opened: it is brought up to date. */
  z.object({ type: z.literal('listCommands') }),
  /** A command chosen from the list: attaches what it needs. */
  z.object({ type: z.literal('slash'), name: z.string().max(200) }),
  /** An item that the user chose from `mentions`. */
  z.object({ type: z.literal('attachMention'), id: z.string().max(4200), to: To }),
  /** Tries again to read an attached page of the web. */
  z.object({ type: z.literal('readPage'), id: z.string().max(200), to: To }),
  /** A pasted or dropped text file, with its text. */
  z.object({ type: z.literal('attachText'), name: z.string().min(1).max(255), text: Code, to: To }),
  /** A long text that was pasted into the message. */
  z.object({ type: z.literal('attachPasted'), text: Code, to: To }),
  /** A picture as it is sent, as base64: pasted, dropped, or the answer to `shrink` with its `requestId`. */
  z.object({
    type: z.literal('attachPicture'),
    name: z.string().min(1).max(255),
    data: z.string().max(base64Length(MAX_IMAGE_BYTES)),
    to: To,
    requestId: Id.optional(),
  }),
  /** The answer to `shrink` if the picture can't be sent: what is wrong with it, behind its name. */
  z.object({ type: z.literal('pictureRefused'), requestId: Id, why: z.string().max(500) }),
  /** Asks for the picture of a chip or of a message's attachment, by its id. Answered by `picture`. */
  z.object({ type: z.literal('picture'), id: z.string().max(200) }),
  /** Asks for the text of a pasted attachment, to put it into the message after all. Answered by `pasted`. */
  z.object({ type: z.literal('takePasted'), id: z.string().max(200), to: To }),
  /** Files dropped from the editor's own lists. */
  z.object({ type: z.literal('attachFiles'), uris: z.array(z.string().max(8000)).min(1).max(MAX_ATTACHMENTS), to: To }),
  /** `chatId`: the chat of the composer, if another may be shown by now. */
  z.object({ type: z.literal('detach'), id: z.string().max(200), to: To, chatId: Id.optional() }),
  z.object({ type: z.literal('mentions'), requestId: z.string().max(100), query: z.string().max(MAX_ADDRESS) }),
  z.object({ type: z.literal('suggestion'), id: z.string().max(100) }),
  /** `effort`: null lets the model think as it does by itself; absent, what was chosen for it stays. */
  z.object({
    type: z.literal('selectModel'),
    id: z.string().max(200),
    effort: z.string().max(40).nullable().optional(),
  }),
  /**
   * Applies a block of an answer to a file. `block` is the web view's name for it; `changes` reports the state by it.
   */
  z.object({
    type: z.literal('apply'),
    messageId: Id,
    block: Block,
    text: Code,
    language: z.string().max(100),
    path: z.string().max(4096).optional(),
    /** The answer doesn't make clear which file: the user is asked, whichever file is active. */
    isUnclear: z.literal(true).optional(),
    /** The words that name the file. The host knows the workspace's paths and may resolve them. */
    spoken: z.object({ info: z.string().max(4096), prose: z.string().max(4096) }).optional(),
    /** How the user says the block is meant, after a refusal that asked. */
    reading: ReadingSchema.optional(),
  }),
  /** Applies all blocks of an answer. The host has their text. `blocks`: the web view's names for them. */
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
  /** Lets a model insert a block that has no place in its file, which costs credits. */
  z.object({ type: z.literal('placeCode'), messageId: Id, block: Block }),
  /** Compares a block that has no place in its file with that file. */
  z.object({ type: z.literal('compareCode'), messageId: Id, block: Block, text: Code }),
  /** Shows the editor or list in which the user decides about a block, or about all of them. */
  z.object({ type: z.literal('showReview'), messageId: Id, block: Block.optional() }),
  /** Takes an accepted change back, or applies it again. */
  z.object({ type: z.literal('takeBack'), checkpointId: Id }),
  z.object({ type: z.literal('applyAgain'), checkpointId: Id }),
  z.object({ type: z.literal('copy'), text: Code }),
  z.object({ type: z.literal('insert'), text: Code }),
  z.object({ type: z.literal('newFile'), text: Code, languageId: z.string().max(100).optional() }),
  /** Puts a command of a shell block into a terminal, and does not run it. */
  z.object({ type: z.literal('insertInTerminal'), text: Code, language: z.string().max(100) }),
  /** Opens a diagram's source in the editor's Markdown preview. */
  z.object({ type: z.literal('previewDiagram'), text: Code, language: z.string().max(100) }),
  /** The editor asks the user for confirmation before it opens the link. */
  z.object({ type: z.literal('openLink'), href: z.string().max(8000) }),
  /** Words of answers that may be file paths. `files` answers which ones exist. */
  z.object({ type: z.literal('findFiles'), paths: z.array(z.string().max(MAX_REFERENCE)).min(1).max(50) }),
  /** Opens a file of the workspace. Lines and columns are counted from 1. */
  z.object({
    type: z.literal('openFile'),
    path: z.string().max(MAX_REFERENCE),
    line: z.int().min(1).optional(),
    column: z.int().min(1).optional(),
  }),
  /** Names in backticks. `symbols` answers which ones have exactly one definition. */
  z.object({ type: z.literal('findSymbols'), names: z.array(SymbolName).min(1).max(50) }),
  z.object({ type: z.literal('openSymbol'), name: SymbolName }),
  z.object({
    type: z.literal('command'),
    command: z.enum([
      'showQuota',
      'signIn',
      'continueAsGuest',
      'openAccount',
      'openDecisions',
      'acceptTerms',
      'openSettings',
      'openInstructions',
      'startServer',
    ]),
  }),
  /** Opens the account page where it tells what became of a request. */
  z.object({ type: z.literal('openRequest'), id: Id }),
  z.object({ type: z.literal('reconnect') }),
  /** A failure inside the web view, for the log. It contains no text of the user's. */
  z.object({ type: z.literal('failed'), message: z.string().max(2000) }),
]);
export type ToHost = z.infer<typeof ToHostSchema>;

/**
 * offline: the server can't be reached. wrongServer: another service answers there. `detail` tells the user what to do.
 */
export type Connection =
  | { state: 'connecting' }
  | { state: 'ok' }
  | { state: 'offline' | 'wrongServer'; detail: string }
  /** `isMember`: a member's session has ended. `isNew`: no account was used here before. */
  | { state: 'signedOut'; detail: string; isMember: boolean; isNew: boolean };

/** The names of codicons that the host sends. */
export type HostIcon =
  | 'add'
  | 'beaker'
  | 'book'
  | 'comment-discussion'
  | 'edit'
  | 'file'
  | 'files'
  | 'fold'
  | 'folder'
  | 'git-commit'
  | 'git-merge'
  | 'globe'
  | 'info'
  | 'lightbulb'
  | 'list-selection'
  | 'regex'
  | 'search'
  | 'symbol-method'
  | 'terminal'
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

/** A command of the composer: a word after a slash at the beginning of a message. */
export interface SlashCommand {
  name: string;
  icon: HostIcon;
  detail: string;
  /** What of its file has no effect. */
  note?: string;
  /** Choosing it attaches something. */
  attaches?: true;
}

/** A message that was written while an answer ran. */
export interface Waiting {
  id: string;
  text: string;
  chips: Chip[];
  /** Why it waits for the user, in a sentence. If absent, it is sent when the answer is done. */
  held?: string;
  isSending?: true;
}

/** How the chat looks, and which key sends. */
export interface ChatLook {
  sendWith: 'Enter' | 'Ctrl+Enter';
  /** In CSS pixels. Absent: the editor's own. */
  fontSize?: number;
  /** A list of font names for CSS. Absent: the editor's own. */
  fontFamily?: string;
}

/** The state of the composer and its surroundings. Sent whole at each change (it is small). */
export interface Surroundings {
  connection: Connection;
  account: Account | null;
  balance: Balance | null;
  models: Model[];
  modelId: string | null;
  /** How hard that model is asked to think. Absent: as it does by itself. */
  effort?: string;
  /** All attachments of the next message: first the user's own, last the implicit one. */
  chips: Chip[];
  /** The chips of the earlier message that is edited in place. */
  edited?: { messageId: string; chips: Chip[] };
  /** Kinds that the user could attach now, besides any file. */
  attachable: Exclude<AttachNow, 'pick'>[];
  /** The implicit attachment that is not sent, because the user removed it or for the reason `why`. */
  leftOut?: { label: string; why?: string };
  /** The instructions of workspace and user, if there are any. */
  instructions?: {
    /** Those that go along, in order; without a path, the user's own. `isSent`: this chat has it already. */
    files: { path?: string; tokens: number; isSent?: true }[];
    /** Not sent, or only in part, for the reason `why`. */
    leftOut: { path?: string; why: string }[];
    /** The user left them out of this chat. */
    isOut?: true;
  };
  commands: SlashCommand[];
  suggestions: Suggestion[];
  /** Tokens of the conversation so far (the last answer's input and output), for the context meter. */
  contextTokens: number;
  /** The credits that a new member gets. Absent if the server offers no sign-in; then the view offers none. */
  signInCredits?: number;
  /** Whether the server accepts guests. Absent until that is known. */
  guests?: boolean;
  /** The open conversation stands before the others in the history. */
  pinned?: true;
  /** The name of this device, to recognise runs of other devices. */
  device: string;
  look?: ChatLook;
  /** The operator's current notices to every account. Absent if there are none. */
  told?: { id: string; text: string }[];
}

/** The state of applying a block, or all of an answer. The sentences are for the user. */
export type ApplyState =
  | { state: 'applying' }
  /** `paths`: the block's files in the workspace with this state. `isPart`: the user rejected some of its hunks. */
  | { state: 'applied'; paths?: string[]; isPart?: true }
  /** `why`: a description of what is left out. */
  | { state: 'review'; why?: string }
  /**
   * `file`: the name of its only file, if the code has no place there. `readings`: those between which the user may
   * choose. `isOfEditor`: the editor takes no changes, so that other code would be refused as well.
   */
  | { state: 'refused'; why: string; file?: string; readings?: Reading[]; isOfEditor?: true }
  | { state: 'nothing'; why: string };

/** A change from an answer that the user accepted. */
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

/** The state of the changes that an answer proposed. */
export interface AnswerChanges {
  /** By block. A block that is absent was not applied. */
  blocks: Record<string, ApplyState>;
  /** The last attempt to apply all blocks at once, while it is still relevant. */
  all?: ApplyState;
  /** Oldest first. */
  checkpoints: ShownCheckpoint[];
}

export type FromHost =
  | { type: 'surroundings'; value: Surroundings }
  /** The state of the changes in the open conversation, by message. Sent whole. */
  | { type: 'changes'; value: Record<string, AnswerChanges> }
  /** A different conversation, or the same one again. `draft` is the stored text of its composer. */
  | {
      type: 'conversation';
      /** Null for a chat that the server does not know (yet). */
      id: string | null;
      /** The host's name for this chat: the same before and after the server knows it. */
      chatId?: string;
      /** The composer's text came along from the previous chat. */
      moved?: true;
      title: string;
      messages: Message[];
      before: string | null;
      draft: string;
      /** Runs of this conversation that were not started by this window. */
      elsewhere: string[];
    }
  | { type: 'earlier'; messages: Message[]; before: string | null }
  /** New or changed messages, by id. `removed` were superseded. */
  | { type: 'messages'; upsert: Message[]; removed: string[]; title: string; elsewhere: string[] }
  /** More of a running answer: cut the text at `at`, then append. Updates are batched, at most one each 30 ms. */
  | { type: 'text'; messageId: string; text: string; at: number }
  /** The same for its thoughts. `ms`: how long the model has thought so far. */
  | { type: 'thinking'; messageId: string; text: string; at: number; ms: number }
  /** `text`: the sent text, for a page that may not know it. */
  | { type: 'sent'; requestId: string; text?: string }
  /** No run was started. The typed text stays. `chipId`: the attachment that could not be sent. */
  | { type: 'notSent'; requestId: string; problem: Problem; chipId?: string }
  /** The answer to `findSent`: the server never got the request, or refused it. */
  | { type: 'neverSent'; requestId: string }
  /** The messages of a chat that wait, in the order in which they are sent. Sent whole. */
  | { type: 'queue'; chatId: string; messages: Waiting[] }
  /** A message that the user wanted to edit was sent before. */
  | { type: 'tooLate'; chatId: string; text: string }
  /** Another request failed (history, export, rename): shown in a dismissible line. `of`: the failed request. */
  | {
      type: 'notice';
      level: 'info' | 'error';
      text: string;
      of?: ToHost['type'];
      action?: {
        label: string;
        command:
          | 'reconnect'
          | 'signIn'
          | 'showQuota'
          | 'openSettings'
          | 'openAccount'
          | 'openDecisions'
          | 'acceptTerms';
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
  /** The text of a pasted attachment. The view detaches it once the text is in the message `to`, or the composer. */
  | { type: 'pasted'; id: string; text: string; to?: string; chatId: string }
  /** Asks to make a file's picture smaller. Answered by `attachPicture` or `pictureRefused`. */
  | { type: 'shrink'; requestId: string; name: string; data: string }
  /** A picture as base64, or why there is none. */
  | ({ type: 'picture'; id: string } & ({ mediaType: string; data: string } | { why: string }))
  /** The requested paths that lead to exactly one file of the workspace. */
  | { type: 'files'; asked: string[]; found: string[] }
  /** Those of the requested names that were looked up, and that have exactly one definition in the workspace. */
  | { type: 'symbols'; asked: string[]; found: string[] }
  /** Puts text into the composer (Explain Selection, a suggestion); `send` sends it at once. */
  | { type: 'compose'; text: string; send: boolean }
  | { type: 'focusComposer' }
  | { type: 'showHistory' };
