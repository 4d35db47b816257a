import { useEffect, useRef } from 'preact/hooks';
import type { Mention } from '../../protocol.ts';
import { Icon } from '../parts/Icon.tsx';

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
