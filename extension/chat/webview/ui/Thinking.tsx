import { useLayoutEffect, useRef } from 'preact/hooks';
import { saysSeconds, saysThought } from '../../../../shared/answers/thoughts.ts';
import type { Message } from '../../../../shared/conversations.ts';
import { Markdown } from '../markdown/Markdown.tsx';
import { useChat, useChatState } from '../model/context.ts';
import { useSecondsSince } from '../model/now.ts';
import { Icon } from '../parts/Icon.tsx';
import { BottomPin } from '../scroll.ts';

/** Whether the model thinks and has not answered yet. */
export function useIsThinking({ id, state, text }: Message): boolean {
  return useChatState((s) => state === 'running' && text === '' && s.thoughts[id] !== undefined);
}

/** The thoughts before an answer: one line that unfolds. Nothing of them is in the page while they are folded. */
export function Thinking({ message }: { message: Message }) {
  const chat = useChat();
  const { id } = message;
  const isThinking = useIsThinking(message);
  const hasThoughts = useChatState((s) => (s.thoughts[id] ?? message.thinking) !== undefined);
  const isUnfolded = useChatState((s) => s.unfolded.has(id));
  const isOffline = useChatState((s) => s.isOffline);
  const button = useRef<HTMLButtonElement>(null);
  const clickedAt = useRef<number | undefined>(undefined);
  // At the end of the conversation, what unfolds would push this line up, away from under the pointer.
  useLayoutEffect(() => {
    if (clickedAt.current !== undefined) chat.keepInPlace(button.current!, clickedAt.current);
    clickedAt.current = undefined;
  }, [chat, isUnfolded]);
  if (!hasThoughts) return null;
  const fold = () => {
    // While the model thinks, the end of its thoughts is followed instead.
    if (!isThinking) clickedAt.current = button.current!.getBoundingClientRect().top;
    chat.fold(id);
  };
  return (
    <div class="thinking">
      <button type="button" ref={button} aria-expanded={isUnfolded} onClick={fold}>
        <Icon name={isUnfolded ? 'chevron-down' : 'chevron-right'} />
        <span>{isThinking ? <ThinkingSince id={id} /> : <ThoughtFor message={message} />}</span>
        {isThinking && <Icon name="loading" spin={!isOffline} />}
      </button>
      {isUnfolded && <Unfolded message={message} follows={isThinking} />}
    </div>
  );
}

function ThinkingSince({ id }: { id: string }) {
  const since = useChatState((s) => s.thoughts[id]?.since ?? Number.POSITIVE_INFINITY);
  const seconds = useSecondsSince(since);
  // Screen readers read the label of the focused button again whenever it changes.
  return <>Thinking…{seconds > 0 && <span aria-hidden="true"> {saysSeconds(seconds)}</span>}</>;
}

function ThoughtFor({ message: { id, thinking } }: { message: Message }) {
  const ms = useChatState((s) => s.thoughts[id]?.ms);
  return <>{saysThought(ms ?? thinking?.ms ?? 0)}</>;
}

/** `follows`: stays at the end while the thoughts grow. */
function Unfolded({ message: { id, state, thinking }, follows }: { message: Message; follows: boolean }) {
  const text = useChatState((s) => s.thoughts[id]?.text) ?? thinking?.text ?? '';
  const box = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!follows) return;
    const pin = new BottomPin(box.current!, content.current!, () => {});
    return () => pin.dispose();
  }, [follows]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section class="thoughts" aria-label="Thoughts" tabIndex={0} ref={box}>
      <div ref={content}>
        <Markdown text={text.trimEnd()} ended={state !== 'running'} />
      </div>
    </section>
  );
}
