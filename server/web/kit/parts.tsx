import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { inCredits } from '../../../shared/money/amounts.ts';
import { asFailure, type CallFailed } from './api.ts';

/** Announces an error, with a way to retry. */
export function Failure({ failure, again }: { failure: CallFailed; again?: () => void }) {
  return (
    <div class="box problem" role="alert">
      <p>
        <strong>{failure.title}.</strong> {failure.detail}
      </p>
      {again && (
        <button type="button" class="quiet" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Runs one action at a time; returns whether it is running and what went wrong. */
export function useAct(): {
  isBusy: boolean;
  failure: CallFailed | undefined;
  act: (work: () => Promise<void>) => Promise<boolean>;
} {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<CallFailed>();
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      setFailure(asFailure(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, failure, act };
}

/** Asks before an irreversible action. Uses the browser's dialog, which traps the focus and restores it. */
export function Confirm(props: {
  title: string;
  children: ComponentChildren;
  yes: string;
  /** For questions where "Cancel" could be taken for the action itself. */
  no?: string;
  isDanger?: boolean;
  onYes: () => Promise<void>;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { isBusy, failure, act } = useAct();
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} onClose={props.onClose} aria-labelledby="confirm-title">
      <h2 id="confirm-title">{props.title}</h2>
      {props.children}
      {failure && <Failure failure={failure} />}
      <div class="row">
        <button
          type="button"
          class={props.isDanger ? 'danger' : ''}
          disabled={isBusy}
          onClick={async () => {
            if (await act(props.onYes)) close();
          }}
        >
          {props.yes}
        </button>
        <button type="button" class="quiet" disabled={isBusy} onClick={close}>
          {props.no ?? 'Cancel'}
        </button>
      </div>
    </dialog>
  );
}

export function Loading() {
  return (
    <p class="soft" role="status">
      Loading …
    </p>
  );
}

/** A rounded amount, with the exact one as a tooltip. */
export const Amount = ({ micro, text }: { micro: number; text: string }) => (
  <span class="number" title={inCredits(micro)}>
    {text}
  </span>
);

/**
 * Copies the text of a read-only field, or of any other element. Not every browser lets a page copy: then the text is selected, so that the user
 * can press the copy key.
 */
export function useCopy<E extends HTMLElement = HTMLInputElement>(what: string) {
  const input = useRef<E>(null);
  const [said, setSaid] = useState('');
  const copy = () =>
    navigator.clipboard
      .writeText(textOf(input.current))
      .then(() => setSaid('Copied.'))
      .catch(() => {
        if (input.current instanceof HTMLInputElement) input.current.select();
        else if (input.current) getSelection()?.selectAllChildren(input.current);
        setSaid(`The ${what} is selected: copy it with the keyboard.`);
      });
  return { input, said, copy };
}

const textOf = (element: HTMLElement | null) =>
  (element instanceof HTMLInputElement ? element.value : element?.textContent) ?? '';

/** A value to be pasted elsewhere. */
export function Copyable({ label, value }: { label: string; value: string }) {
  const { input, said, copy } = useCopy(label);
  return (
    <div class="copyable">
      <label class="grow">
        {label}
        <input
          ref={input}
          class="code"
          value={value}
          readOnly
          spellcheck={false}
          onFocus={(event) => event.currentTarget.select()}
        />
      </label>
      <button type="button" class="quiet" aria-label={`Copy ${label}`} onClick={() => void copy()}>
        Copy
      </button>
      <span role="status" class="soft">
        {said}
      </span>
    </div>
  );
}

/** A bar with its numbers in words beside it, so that colour is not the only sign. */
export function Bar({ label, text, share }: { label: string; text: string; share: number }) {
  const width = `${Math.round(Math.max(0, Math.min(1, share)) * 100)}%`;
  return (
    <div class="bar">
      <div class="bar-words">
        <span>{label}</span>
        <span class="number">{text}</span>
      </div>
      <div class="bar-track" aria-hidden="true">
        <div class="bar-fill" style={{ width }} />
      </div>
    </div>
  );
}

/** A choice among a few options, all visible. */
export function Choice<T extends string>(props: {
  label: string;
  name: string;
  value: T;
  options: readonly (readonly [value: T, label: string])[];
  onChoose: (value: T) => void;
}) {
  return (
    <fieldset class="choice">
      <legend class="hidden">{props.label}</legend>
      {props.options.map(([value, label]) => (
        <label key={value}>
          <input
            type="radio"
            name={props.name}
            value={value}
            checked={value === props.value}
            onChange={() => props.onChoose(value)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
