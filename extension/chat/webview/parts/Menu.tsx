import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './Icon.tsx';
import type { IconName } from './icons.ts';

export interface MenuItem {
  id: string;
  label: string;
  icon?: IconName;
  detail?: string;
  /** Further details, each on lines of its own. */
  notes?: string[];
  /** Explains the detail. */
  hint?: string;
  /** Set for a choice among several. */
  checked?: boolean;
  disabled?: boolean;
  /** Draws a line above this item. */
  begins?: boolean;
  run: () => void;
}

interface MenuProps {
  label: string;
  class?: string;
  /** Whether it opens above or below its button. */
  side: 'over' | 'under';
  items: MenuItem[];
  children: ComponentChildren;
  disabled?: boolean;
  onOpen?: () => void;
}

/** A menu button. Arrows, Home, End and first letters move, Enter chooses, Escape closes and returns the focus. */
export function Menu(props: MenuProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const close = (refocus: boolean) => {
    setOpen(false);
    if (refocus) button.current?.focus();
  };
  useLayoutEffect(() => {
    if (!open) return;
    const chosen = list.current?.querySelector<HTMLElement>('[aria-checked="true"]');
    (chosen ?? list.current?.querySelector<HTMLElement>('[role^="menuitem"]'))?.focus();
  }, [open]);
  useOutside(open, [button, list], () => close(false));
  const isChoice = props.items.some((i) => i.checked !== undefined);
  return (
    <div class={`menu-place ${props.side}`}>
      <button
        type="button"
        ref={button}
        class={props.class}
        title={props.label}
        aria-label={props.label}
        aria-haspopup="menu"
        aria-expanded={open}
        disabled={props.disabled}
        onClick={() => {
          if (!open) props.onOpen?.();
          setOpen(!open);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
          event.preventDefault();
          props.onOpen?.();
          setOpen(true);
        }}
      >
        {props.children}
      </button>
      {open && (
        <div class="menu popup" role="menu" aria-label={props.label} ref={list} onKeyDown={(e) => menuKeys(e, close)}>
          {props.items.map((item) => (
            // biome-ignore lint/a11y/useAriaPropsSupportedByRole: aria-checked is set only where the role is menuitemradio
            <button
              type="button"
              key={item.id}
              class={[item.begins && 'begins', item.notes && 'noted'].filter(Boolean).join(' ') || undefined}
              role={isChoice ? 'menuitemradio' : 'menuitem'}
              aria-checked={isChoice ? item.checked === true : undefined}
              aria-disabled={item.disabled}
              tabIndex={-1}
              title={item.hint}
              onClick={() => {
                if (item.disabled) return;
                close(true);
                item.run();
              }}
            >
              <Icon name={isChoice ? (item.checked ? 'check' : 'blank') : (item.icon ?? 'blank')} />
              <span class="label">{item.label}</span>
              {item.detail && <span class="detail">{item.detail}</span>}
              {item.notes?.map((note) => (
                <span class="note" key={note}>
                  {note}
                </span>
              ))}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function menuKeys(event: KeyboardEvent & { currentTarget: HTMLElement }, close: (refocus: boolean) => void): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role^="menuitem"]')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const go = (to: number) => items[(to + items.length) % items.length]?.focus();
  if (event.key === 'Tab') {
    close(true); // The browser goes on from the button.
    return;
  }
  if (event.key === 'Escape') close(true);
  else if (event.key === 'ArrowDown') go(at + 1);
  else if (event.key === 'ArrowUp') go(at - 1);
  else if (event.key === 'Home') go(0);
  else if (event.key === 'End') go(-1);
  else if (event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey) {
    const letter = event.key.toLowerCase();
    const after = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    after.find((i) => i.querySelector('.label')?.textContent?.toLowerCase().startsWith(letter))?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Calls back when the pointer goes down, or the focus moves, outside of the given elements. */
export function useOutside(
  active: boolean,
  inside: { readonly current: HTMLElement | null }[],
  leave: () => void,
): void {
  const latest = useRef(leave);
  latest.current = leave;
  const places = useRef(inside);
  places.current = inside;
  useEffect(() => {
    if (!active) return;
    const onEvent = (event: Event) => {
      if (!places.current.some((place) => place.current?.contains(event.target as Node))) latest.current();
    };
    const onBlur = () => latest.current();
    document.addEventListener('pointerdown', onEvent, true);
    document.addEventListener('focusin', onEvent);
    window.addEventListener('blur', onBlur);
    return () => {
      document.removeEventListener('pointerdown', onEvent, true);
      document.removeEventListener('focusin', onEvent);
      window.removeEventListener('blur', onBlur);
    };
  }, [active]);
}
