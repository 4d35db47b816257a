import { useLayoutEffect, useRef } from 'preact/hooks';

/** Edits a title in place. Enter or leaving the field saves it, Escape doesn't. */
export function RenameField({ title, onDone }: { title: string; onDone: (title: string | null) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const isOver = useRef(false);
  useLayoutEffect(() => field.current?.select(), []);
  const end = (keep: boolean) => {
    if (isOver.current) return;
    isOver.current = true;
    const name = field.current!.value.trim();
    onDone(keep && name && name !== title ? name : null);
  };
  return (
    <input
      class="rename"
      dir="auto"
      ref={field}
      defaultValue={title}
      maxLength={200}
      aria-label="Title"
      onBlur={() => end(true)}
      onKeyDown={(event) => {
        if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) {
          event.stopPropagation();
          return;
        }
        event.preventDefault();
        event.stopPropagation();
        end(event.key === 'Enter');
      }}
    />
  );
}

interface ConfirmProps {
  question: string;
  yes: string;
  onYes: () => void;
  onNo: () => void;
}

/** An inline confirmation in place of a dialog. The focus starts on the button that cancels. */
export function Confirm({ question, yes, onYes, onNo }: ConfirmProps) {
  const no = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => no.current?.focus(), []);
  return (
    <div
      class="confirm"
      role="alertdialog"
      aria-label={question}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        onNo();
      }}
    >
      <span class="question">{question}</span>
      <button type="button" class="button danger" onClick={onYes}>
        {yes}
      </button>
      <button type="button" class="button secondary" ref={no} onClick={onNo}>
        Cancel
      </button>
    </div>
  );
}
