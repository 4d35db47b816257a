import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ApplyState, ToHost } from '../../protocol.ts';
import {
  blockId,
  broughtBy,
  isApplicable,
  isForOnly,
  listApplicable,
  namesFile,
  type ShownCode,
} from '../blocks/applicable.ts';
import { languageIdOf } from '../blocks/fence.ts';
import { useLater } from '../later.ts';
import { useChat, useChatState } from '../model/context.ts';
import { Icon } from './Icon.tsx';

/** The answer that a code block stands in; null where its blocks are not to be applied. */
export const AnswerContext = createContext<string | null>(null);

export interface Apply {
  state: ApplyState | undefined;
  /** The block's name, where it is one alone. */
  block?: string;
  run: () => void;
}

/** How it stands with applying a code block, and how to do it; null where it isn't offered. */
export function useApplyCode(shown: ShownCode, closed: boolean): Apply | null {
  const chat = useChat();
  const messageId = useContext(AnswerContext);
  const block = messageId !== null && closed && isApplicable(shown) ? blockId(shown) : null;
  const own = useChatState((s) => (block === null ? undefined : s.changes[messageId!]?.blocks[block]));
  const ofAll = useChatState((s) => (block === null ? undefined : s.changes[messageId!]?.all));
  const accepted = useChatState((s) => (block === null ? undefined : s.changes[messageId!]?.accepted));
  if (messageId === null || block === null) return null;
  // What was applied with all the others needs no click of its own; of these some may have been refused, or taken back.
  const isAccepted = own === undefined && accepted !== undefined && isForOnly(shown, accepted);
  const isTaken = own === undefined && namesFile(shown) && ofAll !== undefined && TAKING.includes(ofAll.state);
  const isInAll = isTaken && !isAccepted;
  const ofWhole = isAccepted ? 'applied' : isInAll ? (ofAll.state as 'applying' | 'review') : undefined;
  const state: ApplyState | undefined = ofWhole ? { state: ofWhole } : own;
  const run = () => {
    const { language, file: path, text, isUnclear, spoken } = shown;
    if (state?.state === 'review') chat.host.post({ type: 'showReview', messageId, ...(isInAll ? {} : { block }) });
    else {
      const code = { text, language: language.slice(0, 100), path, ...(isUnclear && { isUnclear, spoken }) };
      chat.host.post({ type: 'apply', messageId, block, ...code });
    }
  };
  return { state, block, run };
}

const TAKING: ApplyState['state'][] = ['applying', 'review'];

/** All blocks of an answer at once, where there are several. */
export function ApplyAll({ messageId, text, file }: { messageId: string; text: string; file?: string }) {
  const chat = useChat();
  const list = useLater(() => listApplicable(text, file), [text, file]);
  const state = useChatState((s) => s.changes[messageId]?.all);
  // That it is applied is said by the row with the way back.
  if (!list || state?.state === 'applied') return null;
  const what = list.files > 1 ? `${list.files} files` : `${list.blocks} changes`;
  const run = () =>
    chat.host.post(state?.state === 'review' ? { type: 'showReview', messageId } : { type: 'applyAll', messageId });
  return (
    <div class="apply-all">
      <ApplyButton apply={{ state, run }} label={`Apply all (${what})`} what="" />
      <ApplyTold apply={{ state, run }} what={what} />
    </div>
  );
}

const STATES = {
  applying: { icon: 'loading', label: 'Applying', hint: 'It looks for the place' },
  review: { icon: 'diff', label: 'In review', hint: 'Accept or reject it in the editor. Click to show it' },
  applied: { icon: 'check', label: 'Applied', hint: 'Click to apply it again' },
} as const;

/** The button stays in its place and tells how far it has come, so that the focus stays as well. */
export function ApplyButton({ apply: { state, run }, label, what }: { apply: Apply; label: string; what: string }) {
  const told = state && state.state in STATES ? STATES[state.state as keyof typeof STATES] : undefined;
  return (
    <button
      type="button"
      class={`button apply ${told ? `told ${state!.state}` : ''}`}
      title={told?.hint ?? `${label}: shows the change in the editor, for you to accept or reject`}
      aria-label={[told?.label ?? label, what].filter(Boolean).join(': ')}
      aria-disabled={state?.state === 'applying'}
      onClick={() => state?.state !== 'applying' && run()}
    >
      {told && <Icon name={told.icon} spin={told.icon === 'loading'} />}
      {told?.label ?? label}
    </button>
  );
}

/** Why it was not applied, and every way on, the best first. `code`: the block, where it is only one. */
export function ApplyTold({ apply: { state, block }, what, code }: { apply: Apply; what: string; code?: ShownCode }) {
  const chat = useChat();
  const messageId = useContext(AnswerContext);
  const isGuest = useChatState((s) => s.surroundings?.account?.kind === 'guest');
  if (!state || !('why' in state) || !state.why) return null;
  const { why } = state;
  const isRefused = state.state === 'refused';
  const ways: { label: string; title?: string; post: () => void }[] = [];
  const way = (label: string, message: ToHost, title?: string) =>
    ways.push({ label, title, post: () => chat.host.post(message) });
  if (isRefused && code) {
    const text = broughtBy(code);
    const place = messageId !== null && block && state.file ? { messageId, block } : undefined;
    if (place) {
      const price = isGuest ? '1 message' : 'uses credits';
      way(`Have Perigee place it (${price})`, { type: 'placeCode', ...place }, `In ${state.file}, for your review`);
    }
    if (text !== '') {
      way('Insert at cursor', { type: 'insert', text });
      if (!code.changes) way('New file', { type: 'newFile', text, languageId: languageIdOf(code.language) });
      if (place) way('Open diff', { type: 'compareCode', ...place, text }, `Beside ${state.file}`);
    }
  }
  if (isRefused) ways.push({ label: 'Ask for a correction', post: () => chat.askToCorrect(what, why) });
  return (
    <div class="apply-told">
      <Icon name={isRefused ? 'warning' : 'info'} />
      <div>
        {isRefused && <strong>Not applied. </strong>}
        {why}{' '}
        {ways.length > 0 && (
          <span class="ways">
            {ways.map(({ label, title, post }) => (
              <button type="button" class="link" key={label} title={title} onClick={post}>
                {label}
              </button>
            ))}
          </span>
        )}
      </div>
    </div>
  );
}
