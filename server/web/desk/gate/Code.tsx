import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../../kit/api.ts';
import { Failure, useAct } from '../../kit/parts.tsx';

/** Six digits of the second factor. They open the desk. */
export function Code({ label, yes, onOpen }: { label: string; yes: string; onOpen: () => void }) {
  const [code, setCode] = useState('');
  const { isBusy, failure, act } = useAct();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const open = async (event: Event) => {
    event.preventDefault();
    if (await act(() => call('POST', '/api/desk/session', { code }))) return onOpen();
    // Each code counts once: the next try needs another one.
    setCode('');
    input.current?.focus();
  };
  return (
    <form onSubmit={(event) => void open(event)}>
      {failure && <Failure failure={failure} />}
      <label class="field">
        {label}
        <input
          ref={input}
          class="digits"
          value={code}
          inputMode="numeric"
          autocomplete="one-time-code"
          pattern="\d{3} ?\d{3}"
          title="six digits"
          maxLength={7}
          required
          onInput={(event) => setCode(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={isBusy}>
        {yes}
      </button>
    </form>
  );
}

/** On the server's own machine the desk needs no code. */
export function WithoutCode({ onOpen }: { onOpen: () => void }) {
  const { isBusy, failure, act } = useAct();
  const open = async () => {
    if (await act(() => call('POST', '/api/desk/session', {}))) onOpen();
  };
  return (
    <>
      {failure && <Failure failure={failure} />}
      <p class="soft">You are on the server’s own machine, so no code is needed.</p>
      <button type="button" disabled={isBusy} onClick={() => void open()}>
        Open the desk
      </button>
    </>
  );
}
