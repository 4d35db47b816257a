import { createContext } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { ApplyState, Reading, ToHost } from '../../protocol.ts';
import {
  blockId,
  broughtBy,
  isApplicable,
  isForOnly,
  isOfAll,
  listApplicable,
  type ShownCode,
  targetsOf,
} from '../blocks/applicable.ts';
import { languageIdOf } from '../blocks/fence.ts';
import { useLater } from '../later.ts';
import { useChat, useChatState } from '../model/context.ts';
import { Icon } from './Icon.tsx';

/** The id of the answer that contains a code block; null if its blocks can't be applied. */
export const AnswerContext = createContext<string | null>(null);

export interface Apply {
  state: ApplyState | undefined;
  /** The block's id, if this applies a single block. */
  block?: string;
  /** The block was clicked here, and what came of it isn’t told yet. */
  isClicked?: { current: boolean };
  /** `reading`: how the user says the block is meant. */
  run: (reading?: Reading) => void;
}

/** The state of applying a code block, and the function that applies it; null if that isn't offered. */
export function useApplyCode(shown: ShownCode, closed: boolean): Apply | null {
  const chat = useChat();
  const messageId = useContext(AnswerContext);
  const isClicked = useRef(false);
  const block = messageId !== null && closed && isApplicable(shown) ? blockId(shown) : null;
  const own = useChatState((s) => (block === null ? undefined : s.changes[messageId!]?.blocks[block]));
  const isAll = useChatState((s) => block !== null && s.changes[messageId!]?.all?.state === 'applying');
  if (messageId === null || block === null) return null;
  const isTaken = isAll && !isDone(own) && isOfAll(shown);
  const state: ApplyState | undefined = isTaken ? { state: 'applying' } : withPart(own, shown);
  const run = (reading?: Reading) => {
    const { language, file: path, text, isUnclear, spoken } = shown;
    if (state?.state === 'review') chat.host.post({ type: 'showReview', messageId, block });
    else {
      isClicked.current = true;
      const code = { text, language: language.slice(0, 100), path, ...(isUnclear && { isUnclear, spoken }) };
      chat.host.post({ type: 'apply', messageId, block, ...code, ...(reading && { reading }) });
    }
  };
  return { state, block, isClicked, run };
}

/** Whether nothing is left to do. `targets`: the files of a block for several, which must all be applied. */
const isDone = (state: ApplyState | undefined, targets: readonly string[] = []) =>
  state?.state === 'review' ||
  (state?.state === 'applied' && (!state.paths || targets.length < 2 || isForOnly(targets, state.paths)));

/** The user may have rejected or undone some files of a block for several files. */
function withPart(state: ApplyState | undefined, shown: ShownCode): ApplyState | undefined {
  if (state?.state !== 'applied' || !state.paths || (shown.changes?.length ?? 0) < 2) return state;
  return isForOnly(targetsOf(shown), state.paths) ? state : { ...state, isPart: true };
}

/** Applies all blocks of an answer at once, if it has several. */
export function ApplyAll({ messageId, text, file }: { messageId: string; text: string; file?: string }) {
  const chat = useChat();
  const list = useLater(() => listApplicable(text, file), [text, file]);
  const said = useChatState((s) => s.changes[messageId]?.all);
  const blocks = useChatState((s) => s.changes[messageId]?.blocks);
  if (!list) return null;
  const others = list.filter(({ block, targets }) => !isDone(blocks?.[block], targets));
  const isInReview = list.some(({ block }) => blocks?.[block]?.state === 'review');
  const state = said ?? (others.length === 0 && isInReview ? { state: 'review' as const } : undefined);
  // Everything is applied, and the row with the undo button says so.
  if (others.length === 0 && !state) return null;
  const files = new Set(others.flatMap((one) => one.files)).size;
  const isEachNamed = others.every((one) => one.files.length > 0);
  const what =
    files > 1 && isEachNamed ? `${files} files` : others.length === 1 ? '1 change' : `${others.length} changes`;
  const label = others.length === list.length ? `Apply all (${what})` : `Apply the other ${tellOthers(others.length)}`;
  const run = () => {
    if (state?.state === 'review') return chat.host.post({ type: 'showReview', messageId });
    const named = list.slice(0, MAX_BLOCKS).map(({ files: _, targets: __, ...one }) => one);
    chat.host.post({ type: 'applyAll', messageId, blocks: named });
  };
  return (
    <div class="apply-all">
      <ApplyButton apply={{ state, run }} label={label} what="" isMain />
      <ApplyTold apply={{ state, run }} what={what} />
    </div>
  );
}

/** The most blocks that the host accepts. */
const MAX_BLOCKS = 1_000;

const tellOthers = (count: number) => (count === 1 ? 'change' : `${count} changes`);

const STATES = {
  applying: { icon: 'loading', label: 'Applying', hint: 'It looks for the place' },
  review: { icon: 'diff', label: 'In review', hint: 'Accept or reject it in the editor. Click to show it' },
  applied: { icon: 'check', label: 'Applied', hint: 'Click to apply it again' },
  part: { icon: 'check', label: 'Applied in part', hint: 'Some of it was rejected. Click to apply it again' },
} as const;

function tell(state: ApplyState | undefined): (typeof STATES)[keyof typeof STATES] | undefined {
  switch (state?.state) {
    case 'applying':
    case 'review':
      return STATES[state.state];
    case 'applied':
      return state.isPart ? STATES.part : STATES.applied;
    default:
      return undefined;
  }
}

/**
 * The button stays in its place and shows the progress, so that it keeps the focus. If it still has the focus when the
 * review begins, the editor gets it, with the keys that decide. `isMain`: it may be the one thing to do next.
 */
export function ApplyButton(props: { apply: Apply; label: string; what: string; isMain: boolean }) {
  const { apply, label, what, isMain } = props;
  const { state, run } = apply;
  const now = state?.state;
  const told = tell(state);
  const button = useRef<HTMLButtonElement>(null);
  const isAsked = useRef(false);
  useEffect(() => {
    if (now === 'applying') return;
    const hasFocus = document.hasFocus() && document.activeElement === button.current;
    if (isAsked.current && now === 'review' && hasFocus) run();
    isAsked.current = false;
  }, [now]);
  return (
    <button
      type="button"
      ref={button}
      class={`button secondary apply ${told ? `told ${now}` : isMain && !state ? 'main' : ''}`}
      title={told?.hint ?? `${label}: shows the change in the editor, for you to accept or reject`}
      aria-label={[told?.label ?? label, what].filter(Boolean).join(': ')}
      aria-disabled={now === 'applying'}
      onClick={() => {
        if (now === 'applying') return;
        isAsked.current = now !== 'review';
        run();
      }}
    >
      {told && <Icon name={told.icon} spin={told.icon === 'loading'} />}
      {told?.label ?? label}
    </button>
  );
}

const READINGS = {
  file: { label: 'Replace the file', title: 'For your review: the lines that the code lacks are deleted' },
  part: { label: 'Keep them', title: 'For your review: the lines that the code lacks stay' },
} as const;

/** Why a block was not applied, and the next steps, the best first. `code`: the block, if it is a single one. */
export function ApplyTold({
  apply: { state, block, isClicked, run },
  what,
  code,
}: {
  apply: Apply;
  what: string;
  code?: ShownCode;
}) {
  const chat = useChat();
  const messageId = useContext(AnswerContext);
  const isGuest = useChatState((s) => s.surroundings?.account?.kind === 'guest');
  const box = useRef<HTMLDivElement>(null);
  const why = state && 'why' in state ? state.why : undefined;
  // At the end of the conversation, what appears here would push itself and the clicked button up, even out of sight.
  useLayoutEffect(() => {
    if (!box.current || !isClicked?.current) return;
    isClicked.current = false;
    chat.keepInPlace(box.current, box.current.getBoundingClientRect().top);
  }, [why]);
  if (!state || !why) return null;
  const isRefused = state.state === 'refused';
  const isMendable = isRefused && !state.isOfEditor;
  const ways: { label: string; title?: string; post: () => void }[] = [];
  const way = (label: string, message: ToHost, title?: string) =>
    ways.push({ label, title, post: () => chat.host.post(message) });
  if (isRefused && code) {
    for (const reading of state.readings ?? []) ways.push({ ...READINGS[reading], post: () => run(reading) });
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
  if (isMendable) ways.push({ label: 'Ask for a correction', post: () => chat.askToCorrect(what, why) });
  return (
    <div class="apply-told" ref={box}>
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
