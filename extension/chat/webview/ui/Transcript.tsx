import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Message } from '../../../../shared/conversations.ts';
import { useChat, useChatState } from '../model/context.ts';
import type { Conversation } from '../model/conversation.ts';
import { Boundary } from '../parts/Boundary.tsx';
import { Icon } from '../parts/Icon.tsx';
import { BottomPin } from '../scroll.ts';
import { Answer } from './Answer.tsx';
import { EmptyState } from './EmptyState.tsx';
import { UserMessage } from './UserMessage.tsx';

/** How many messages are painted first: enough for a side bar. As many join after each paint, up to a full window. */
const FIRST = 4;
/** How many messages are on the page then. More join as the reader scrolls up. */
const WINDOW = 20;

export function Transcript() {
  const conversation = useChatState((s) => s.conversation)!;
  return <Log key={conversation.sight} conversation={conversation} />;
}

function Log({ conversation }: { conversation: Conversation }) {
  const chat = useChat();
  const loading = useChatState((s) => s.loadingEarlier);
  const { messages, before } = conversation;
  const box = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const top = useRef<HTMLDivElement>(null);
  const pin = useRef<BottomPin | null>(null);
  const [pinned, setPinned] = useState(true);
  useEffect(() => chat.setAtEnd(pinned), [chat, pinned]);
  const restore = useMemo(() => {
    const saved = chat.host.saved();
    const anchor = saved?.conversationId === conversation.id ? saved?.anchor : null;
    const at = anchor ? messages.findIndex((m) => m.id === anchor.messageId) : -1;
    return anchor && at >= 0 ? { ...anchor, at } : null;
    // Only the scroll position from the start is restored.
  }, []);
  // The window starts at a fixed message, so that new messages below never remove what the reader sees.
  const [firstId, setFirstId] = useState(() => {
    // A message in edit mode takes the focus at the first paint or not at all, so it must be in the page by then.
    const window = messages.length - (restore || chat.state.editing ? WINDOW : FIRST);
    return messages[Math.max(0, Math.min(window, (restore?.at ?? Infinity) - 5))]?.id;
  });
  const found = messages.findIndex((m) => m.id === firstId);
  const first = found >= 0 ? found : firstId === undefined ? 0 : Math.max(0, messages.length - WINDOW);
  const visible = messages.slice(first);

  // Before messages are inserted above, note the position of a visible message; afterwards, restore it.
  const shownFirst = useRef(visible[0]?.id);
  let held: { id: string; top: number } | null = null;
  if (shownFirst.current !== visible[0]?.id && box.current && !pin.current?.pinned) held = topmost(box.current);
  shownFirst.current = visible[0]?.id;
  useLayoutEffect(() => {
    const element = held && document.getElementById(`m-${held.id}`);
    if (held && element && !pin.current?.pinned) {
      pin.current?.shift(element.getBoundingClientRect().top - held.top);
    }
  });

  useLayoutEffect(() => {
    const made = new BottomPin(box.current!, content.current!, setPinned);
    pin.current = made;
    chat.toLatest = () => made.toEnd();
    chat.keepInPlace = (element, top) => {
      const place = box.current!.getBoundingClientRect();
      made.hold(element, Math.min(top - place.top, Math.max(0, place.height - element.offsetHeight)));
    };
    const element = restore && document.getElementById(`m-${restore.messageId}`);
    if (restore && element) made.hold(element, restore.offset);
    else made.toEnd();
    return () => made.dispose();
  }, [chat, restore]);

  const [windowId] = useState(() => messages[Math.max(0, messages.length - WINDOW)]?.id);
  const windowAt = messages.findIndex((m) => m.id === windowId);
  const isFilling = windowAt >= 0 && windowAt < first;
  const more = useRef(() => {});
  more.current = () => {
    if (first > 0) setFirstId(messages[Math.max(0, first - (isFilling ? FIRST : WINDOW))]!.id);
    else if (before) chat.loadEarlier();
  };
  useEffect(() => {
    if (isFilling) return afterPaint(() => more.current());
  }, [isFilling, first]);
  const shownCount = visible.length;
  // Observe again after each step: if a page is too short to scroll, the observer would not fire again.
  useEffect(() => {
    const sight = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && more.current(), {
      root: box.current,
      rootMargin: '600px 0px 0px 0px',
    });
    if (top.current) sight.observe(top.current);
    return () => sight.disconnect();
  }, [shownCount, first, before]);
  // Earlier messages from the host join the page if the window had reached the beginning.
  const earliest = messages[0]?.id;
  const knownEarliest = useRef(earliest);
  useEffect(() => {
    if (knownEarliest.current === earliest) return;
    knownEarliest.current = earliest;
    const at = messages.findIndex((m) => m.id === shownFirst.current);
    if (at > 0) setFirstId(messages[Math.max(0, at - WINDOW)]!.id);
  }, [earliest, messages]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const note = () => {
      const at = pin.current?.pinned ? null : topmost(box.current!);
      const offset = at ? at.top - box.current!.getBoundingClientRect().top : 0;
      const anchor = at && { messageId: at.id, offset: Math.round(offset) };
      chat.host.save({ conversationId: conversation.id, anchor });
    };
    const onScroll = () => {
      clearTimeout(timer);
      timer = setTimeout(note, 200);
    };
    const element = box.current!;
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      clearTimeout(timer);
      element.removeEventListener('scroll', onScroll);
    };
  }, [chat, conversation.id]);

  const continued = new Set(messages.map((m) => m.continues).filter(Boolean));
  return (
    <main class="transcript-place">
      <section
        class="transcript"
        role="log"
        aria-live="off"
        aria-busy={isFilling}
        aria-label="Conversation"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        tabIndex={0}
        ref={box}
      >
        <div class="column" ref={content}>
          {messages.length === 0 && <EmptyState />}
          {((first > 0 && !isFilling) || before) && (
            <div class="earlier" ref={top}>
              {loading && <Icon name="loading" spin />} Earlier messages
            </div>
          )}
          {visible.map((message, i) => (
            <OneMessage
              key={message.id}
              message={message}
              asked={visible[i - 1]}
              isLast={first + i === messages.length - 1}
              isContinued={message.runId !== undefined && continued.has(message.runId)}
            />
          ))}
        </div>
      </section>
      {!pinned && (
        <button type="button" class="latest" onClick={() => pin.current?.toEnd()}>
          <Icon name="arrow-down" /> Latest
        </button>
      )}
    </main>
  );
}

interface OneMessageProps {
  message: Message;
  /** The question that the message answers, which comes before it. */
  asked: Message | undefined;
  isLast: boolean;
  isContinued: boolean;
}

function OneMessage({ message, asked, isLast, isContinued }: OneMessageProps) {
  return useMemo(
    () => (
      <Boundary of={message} instead={<AsWritten message={message} />}>
        {message.role === 'user' ? (
          <UserMessage message={message} />
        ) : (
          <Answer message={message} asked={asked} isLast={isLast} isContinued={isContinued} />
        )}
      </Boundary>
    ),
    [message, asked, isLast, isContinued],
  );
}

/** The plain text of a message that could not be drawn. */
function AsWritten({ message }: { message: Message }) {
  const isAnswer = message.role === 'assistant';
  return (
    <article class="message" id={`m-${message.id}`} aria-label={isAnswer ? 'Answer' : 'You'}>
      <div class="as-written">{message.text}</div>
    </article>
  );
}

/** Calls back after the next paint. */
function afterPaint(call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const frame = requestAnimationFrame(() => {
    timer = setTimeout(call);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}

/** The first visible message, and the position of its top in the window. */
function topmost(box: HTMLElement): { id: string; top: number } | null {
  const from = box.getBoundingClientRect().top;
  for (const element of box.querySelectorAll<HTMLElement>('[id^="m-"]')) {
    const rect = element.getBoundingClientRect();
    if (rect.bottom > from) return { id: element.id.slice(2), top: rect.top };
  }
  return null;
}
