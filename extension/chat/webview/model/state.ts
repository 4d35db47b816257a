import type { Problem } from '../../../../shared/problems.ts';
import type { FromHost, Mention, Surroundings, ToHost, Waiting } from '../../protocol.ts';
import type { Drawn } from '../pictures.ts';
import type { Changes } from './changes.ts';
import type { Conversation } from './conversation.ts';
import { type HistoryState, noHistory } from './history.ts';
import type { RunningThoughts } from './thoughts.ts';

export interface Sending {
  requestId: string;
  text: string;
  replaces?: string;
  /** Attachments of the replaced message that stay, by id. */
  keep?: string[];
  /** Chips in the composer that are not sent. */
  without?: string[];
  /** The implicit chip that was shown when this was sent. */
  implicit?: string;
  /** An answer ran when it was sent, and it waits for its end. */
  waits?: true;
  /** The host has the request. Before that, it waits for its chat to arrive. */
  isPassed?: true;
}
/** The draft of a chat in which the user typed something else before it arrived. */
export interface Aside {
  text: string;
  /** Ids of its chips. */
  chips: string[];
}
export interface Refusal extends Sending {
  problem: Problem;
  /** The attachment that could not be sent. */
  chipId?: string;
}
export type NoticeAction = NonNullable<Extract<FromHost, { type: 'notice' }>['action']>;
export interface Notice {
  level: 'info' | 'error';
  text: string;
  action?: NoticeAction;
  /** The request that failed. */
  of?: ToHost['type'];
  /** It concerns this chat, which is not the shown one. */
  chatId?: string;
}

/** `whileAnswering`: shown only while an answer runs. */
export interface Hint {
  text: string;
  whileAnswering?: true;
}

/** Everything that the view shows. Parts are replaced, never mutated. */
export interface ChatState {
  surroundings: Surroundings | null;
  /** Null until the host has sent it. */
  conversation: Conversation | null;
  thoughts: RunningThoughts;
  /** Answers whose thoughts are unfolded, by id. */
  unfolded: ReadonlySet<string>;
  /** The text in the composer. */
  draft: string;
  aside: Aside | null;
  sending: Sending | null;
  /** The last refused request. Its text is still where it was typed. */
  refusal: Refusal | null;
  /** What waits for the end of an answer. It may be another chat's: use `queueOf`. */
  queue: { chatId: string; messages: Waiting[] };
  /** An earlier message that is being edited in place. */
  editing: Editing | null;
  /** Only the latest: by then, an older one is out of date. */
  notice: Notice | null;
  /** The state of the changes that answers proposed, by message. */
  changes: Changes;
  history: HistoryState;
  mentions: { requestId: string; items: Mention[] } | null;
  pictures: Drawn;
  /** The list of all commands is open. */
  help: boolean;
  /** One line above the composer about the user's last action there. */
  hint: Hint | null;
  /** For screen readers. `n` changes so that an equal text is announced again. */
  spoken: { text: string; n: number };
  loadingEarlier: boolean;
  /** The connection was lost and is not restored yet. */
  isOffline: boolean;
  /** The view shows the end of the conversation, and follows it. */
  isAtEnd: boolean;
}

/** The state before the host's first message. */
export const noState: ChatState = {
  surroundings: null,
  conversation: null,
  thoughts: {},
  unfolded: new Set(),
  draft: '',
  aside: null,
  sending: null,
  refusal: null,
  queue: { chatId: '', messages: [] },
  editing: null,
  notice: null,
  changes: {},
  history: noHistory,
  mentions: null,
  pictures: {},
  help: false,
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
