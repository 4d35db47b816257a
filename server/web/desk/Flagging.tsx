import { useState } from 'preact/hooks';
import type { DeskState } from '../../../shared/desk.ts';
import { call } from '../kit/api.ts';
import { instant } from '../kit/format.ts';
import { Failure, useAct } from '../kit/parts.tsx';

/** The kill switch: stops all flagging, and goes on with it. */
export function Flagging({ paused }: { paused: DeskState['paused'] }) {
  const [why, setWhy] = useState('');
  const { isBusy, failure, act } = useAct();
  const stop = async (event: Event) => {
    event.preventDefault();
    if (await act(() => call('POST', '/api/desk/pause', { why }))) setWhy('');
  };
  const goOn = () => act(() => call('DELETE', '/api/desk/pause'));
  if (paused)
    return (
      <>
        <div class="box notice">
          <p>
            <strong>Flagging is stopped</strong> since {instant(paused.since)}, on every node.
          </p>
          <p class="plain">{paused.why}</p>
        </div>
        {failure && <Failure failure={failure} />}
        <p>Use is still counted, so nothing is missed. Cases that are open can be decided.</p>
        <button type="button" disabled={isBusy} onClick={() => void goOn()}>
          Go on with flagging
        </button>
      </>
    );
  return (
    <>
      <p>
        New use is judged all the time, and accounts that look shared come to this desk. If the flags look wrong, stop
        them: no new case is opened on any node until somebody goes on. Cases that are open can be decided.
      </p>
      {failure && <Failure failure={failure} />}
      <form onSubmit={(event) => void stop(event)}>
        <label class="field">
          Why, for the other reviewers
          <textarea
            value={why}
            maxLength={500}
            rows={3}
            required
            onInput={(event) => setWhy(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="danger" disabled={isBusy}>
          Stop flagging
        </button>
      </form>
    </>
  );
}
