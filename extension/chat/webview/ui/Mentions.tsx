import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { MAX_ADDRESS } from '../../../../shared/constants.ts';
import type { Mention } from '../../protocol.ts';
import type { Chat } from '../model/chat.ts';
import { useChatState } from '../model/context.ts';
import { Icon } from '../parts/Icon.tsx';
import { listKeys } from '../parts/listKeys.ts';

interface MentionsProps {
  label: string;
  items: Mention[];
  at: number;
  choose: (item: Mention) => void;
  point: (at: number) => void;
}

/** The mentions or commands to choose from. The message keeps the focus; `aria-activedescendant` announces the chosen line. */
export function Mentions({ label, items, at, choose, point }: MentionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: 'nearest' }), [at]);
  return (
    <div class="menu popup mentions" id="mentions" role="listbox" aria-label={label} ref={list}>
      {items.map((item, i) => (
        <div
          key={item.id}
          id={`mention-${i}`}
          role="option"
          tabIndex={-1}
          aria-selected={i === at}
          class={i === at ? 'at' : undefined}
          onPointerMove={() => i !== at && point(i)}
          onMouseDown={(event) => {
            event.preventDefault(); // The message keeps the focus.
            choose(item);
          }}
        >
          <Icon name={item.icon} />
          <span class="label">{item.label}</span>
          {item.detail && <span class="detail">{item.detail}</span>}
        </div>
      ))}
    </div>
  );
}

/** What has a name that reads well in a sentence. */
const NAMED = new Set<Mention['icon']>(['file', 'folder', 'symbol-method']);
/** The word at the cursor after an @. An address of the web may be longer, and have an @ within. */
const WORD = /(?:^|[\s(])@(https?:\/\/\S{0,1992}|[^\s@]{0,200})$/i;

/**
 * The @ word at the cursor, the host's matches for it, and the keys that choose one. `put` takes the text without the
 * word. `to`: the earlier message that is being edited; if absent, the composer.
 */
export function useMentions(
  chat: Chat,
  area: RefObject<HTMLTextAreaElement | null>,
  put: (text: string) => void,
  to?: string,
) {
  const [query, setQuery] = useState<{ requestId: string; from: number; to: number } | null>(null);
  const [at, setAt] = useState(0);
  const answer = useChatState((s) => s.mentions);
  const [items, setItems] = useState<Mention[]>([]);
  useEffect(() => {
    if (!query || answer?.requestId !== query.requestId) return;
    setItems(answer.items);
    setAt(0);
  }, [answer, query]);
  const close = () => {
    setQuery(null);
    setItems([]);
    chat.forgetMentions();
  };
  const look = () => {
    const field = area.current;
    if (!field || field.selectionStart !== field.selectionEnd) return close();
    const end = field.selectionStart;
    const word = WORD.exec(field.value.slice(Math.max(0, end - MAX_ADDRESS), end));
    if (!word) return query ? close() : undefined;
    const requestId = crypto.randomUUID();
    setQuery({ requestId, from: end - word[1]!.length - 1, to: end });
    chat.host.post({ type: 'mentions', requestId, query: word[1]! });
  };
  const choose = (item: Mention) => {
    const field = area.current;
    if (!field || !query) return;
    chat.host.post({ type: 'attachMention', id: item.id, ...(to && { to }) });
    field.focus();
    field.setSelectionRange(query.from, query.to);
    // In a sentence the name is a word of it; alone it is said by the chip.
    const isWord = NAMED.has(item.icon) && field.value.slice(0, query.from).trim() !== '';
    field.setRangeText(isWord ? item.label : '', query.from, query.to, 'end');
    put(field.value);
    chat.say(`Attached ${item.label}`);
    close();
  };
  const isShown = query !== null && items.length > 0;
  const isLoading = query !== null && answer?.requestId !== query.requestId;
  const onKey = (event: KeyboardEvent): boolean => {
    // The list is still for an earlier word. Enter means the coming list, so it does nothing for now. Escape closes the
    // list, so that Enter works again even if no answer comes.
    if (isLoading && ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Escape')) {
      if (event.key === 'Escape') close();
      event.preventDefault();
      event.stopPropagation();
      return true;
    }
    return isShown && listKeys(event, { items, at, setAt, choose, close });
  };
  return { look, close, onKey, shown: isShown ? { label: 'Attach', items, at, choose, point: setAt } : null };
}
