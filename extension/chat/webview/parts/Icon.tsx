import type { Ref } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ICONS, type IconName } from './icons.ts';

/** A codicon, only as decoration: the words beside it or the button's label say what it means. */
export function Icon({ name, spin }: { name: IconName; spin?: boolean }) {
  const drawing = { __html: ICONS[name] };
  const kind = `codicon codicon-${name}${spin ? ' spin' : ''}`;
  return <span class={kind} aria-hidden="true" dangerouslySetInnerHTML={drawing} />;
}

interface IconButtonProps {
  icon: IconName;
  label: string;
  onClick: (event: MouseEvent) => void;
  /** Replaces the label for two seconds after a click. */
  done?: string;
  disabled?: boolean;
  class?: string;
  buttonRef?: Ref<HTMLButtonElement>;
  expanded?: boolean;
  popup?: 'menu' | 'dialog';
}

export function IconButton(props: IconButtonProps) {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 2000);
    return () => clearTimeout(timer);
  }, [isDone]);
  const label = isDone && props.done ? props.done : props.label;
  return (
    <button
      type="button"
      class={`icon-button ${props.class ?? ''}`}
      ref={props.buttonRef}
      title={label}
      aria-label={label}
      aria-haspopup={props.popup}
      aria-expanded={props.expanded}
      disabled={props.disabled}
      onClick={(event) => {
        props.onClick(event);
        if (props.done) setDone(true);
      }}
    >
      <Icon name={isDone ? 'check' : props.icon} />
    </button>
  );
}
