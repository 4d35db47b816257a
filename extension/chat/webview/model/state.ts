import type { Problem } from '../../../../shared/problems.ts';
import type { FromHost, Mention, Surroundings, ToHost } from '../../protocol.ts';
import type { Changes } from './changes.ts';
import type { Conversation } from './conversation.ts';
import { type HistoryState, noHistory } from './history.ts';

export interface Sending {
  requestId: string;
  text: string;
  replaces?: string;
  /** Attachments of the replaced message that stay, by id. */
  keep?: string[];
  /** Chips in the composer that do not go along. */
  without?: string[];
  /** The chip of what the editor shows, as it was shown when this was sent. */
  implicit?: string;
  /** The host has it. Before, it waits for its chat to be told. */
  isPassed?: true;
}
/** What was left in a chat where something else was typed before it was there. */
export interface Aside {
  text: string;
  /** Ids of its chips. */
  chips: string[];
}
export interface Refusal extends Sending {
  problem: Problem;
}
export type NoticeAction = NonNullable<Extract<FromHost, { type: 'notice' }>['action']>;
export interface Notice {
  level: 'info' | 'error';
  text: string;
  action?: NoticeAction;
  /** What was asked for and failed. */
  of?: ToHost['type'];
  /** It is about this chat, which is not the one that is shown. */
  chatId?: string;
}

/** `whileAnswering`: it is said because an answer runs. */
export interface Hint {
  text: string;
  whileAnswering?: true;
}

/** All that the view shows. Parts are replaced, never changed in place. */
export interface ChatState {
  surroundings: Surroundings | null;
  /** Null until the host has told. */
  conversation: Conversation | null;
  /** What stands in the composer. */
  draft: string;
  aside: Aside | null;
  sending: Sending | null;
  /** The last request that was not taken; its text still stands where it was typed. */
  refusal: Refusal | null;
  /** An earlier message that is being edited in place. */
  editing: Editing | null;
  /** The latest alone: an older one is out of date by then. */
  notice: Notice | null;
  /** What became of the changes that answers proposed, by message. */
  changes: Changes;
  history: HistoryState;
  mentions: { requestId: string; items: Mention[] } | null;
  /** One line above the composer about what was just tried there. */
  hint: Hint | null;
  /** For screen readers; `n` makes equal texts be said again. */
  spoken: { text: string; n: number };
  loadingEarlier: boolean;
  /** The server was lost and is not found again yet. */
  isOffline: boolean;
  /** The end of the conversation is shown, and is followed. */
  isAtEnd: boolean;
}

/** Before the host has told anything. */
export const noState: ChatState = {
  surroundings: null,
  conversation: null,
  draft: '',
  aside: null,
  sending: null,
  refusal: null,
  editing: null,
  notice: null,
  changes: {},
  history: noHistory,
  mentions: null,
  hint: null,
  spoken: { text: '', n: 0 },
  loadingEarlier: false,
  isOffline: false,
  isAtEnd: true,
};

export interface Editing {
  messageId: string;
  text: string;
  /** Ids of the attachments that stay. */
  keep: string[];
}
