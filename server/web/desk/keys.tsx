import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

type Keys = Record<string, () => void>;

/** Whether a key pressed there belongs to what has the focus: a field, or a dialog. */
function isTaken(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return target.closest('input, textarea, select, [contenteditable], dialog') !== null;
}

/** Keys of what is shown, by `KeyboardEvent.key`. They never take what is typed into a field. */
export function useKeys(keys: Keys): void {
  const now = useRef(keys);
  now.current = keys;
  // Before it is painted: who sees a thing can use its keys.
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTaken(event.target)) return;
      const act = Object.hasOwn(now.current, event.key) ? now.current[event.key] : undefined;
      if (!act || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}

const HELP: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['j', '↓'], 'the next case'],
  [['k', '↑'], 'the one before'],
  [['Enter'], 'opens it'],
  [['Escape'], 'back to the list'],
  [['1', '…', '7'], 'chooses a decision'],
  [['?'], 'shows these keys'],
];

export function KeysHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl class="facts keys">
        {HELP.map(([keys, does]) => (
          <div key={does}>
            <dt>{keys.map((key) => (key === '…' ? ' … ' : <kbd key={key}>{key}</kbd>))}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="soft">While you type into a field, keys are what you type.</p>
      <div class="row">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
