import { useState } from 'preact/hooks';
import { encode } from 'uqr';
import type { Factor } from '../../../../shared/desk.ts';
import { call } from '../../kit/api.ts';
import { Copyable, Failure, useAct } from '../../kit/parts.tsx';
import { Code } from './Code.tsx';

/** Sets the second factor up: the operator's setup code, then a secret for an app, then its first six digits. */
export function SetUp({ onOpen }: { onOpen: () => void }) {
  const [setupCode, setSetupCode] = useState('');
  const [factor, setFactor] = useState<Factor>();
  const { isBusy, failure, act } = useAct();
  const begin = async (event: Event) => {
    event.preventDefault();
    await act(async () => setFactor(await call<Factor>('POST', '/api/desk/factor', { setupCode })));
  };
  if (factor)
    return (
      <>
        <p>
          Scan this with an app for one-time codes, or enter the secret there. Each setup makes a new secret: delete an
          entry of an earlier one.
        </p>
        <Picture text={factor.uri} />
        <Copyable label="Secret" value={factor.secret} />
        <Code label="The six digits that it shows" yes="Confirm and open the desk" onOpen={onOpen} />
      </>
    );
  return (
    <form onSubmit={(event) => void begin(event)}>
      <p>
        The desk needs a second factor: an app for one-time codes. To set it up, enter the setup code that the operator
        has given you. It is good for 24 hours, and until the first six digits are confirmed.
      </p>
      {failure && <Failure failure={failure} />}
      <label class="field">
        Setup code
        <input
          class="code"
          value={setupCode}
          minLength={8}
          maxLength={100}
          required
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setSetupCode(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={isBusy}>
        Go on
      </button>
    </form>
  );
}

/** A QR code, always dark on light: not every camera reads the other way round. */
function Picture({ text }: { text: string }) {
  const { data, size } = encode(text, { ecc: 'M', border: 2 });
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR code with the secret below">
      <rect class="light" width={size} height={size} />
      {data.flatMap((row, y) =>
        runsOf(row).map(([x, width]) => <rect key={`${x},${y}`} x={x} y={y} width={width} height={1} />),
      )}
    </svg>
  );
}

/** The dark stretches of a row: one rectangle each, so that no lines show between the cells. */
function runsOf(row: readonly boolean[]): [x: number, width: number][] {
  const runs: [number, number][] = [];
  row.forEach((isDark, x) => {
    if (!isDark) return;
    const last = runs.at(-1);
    if (last && last[0] + last[1] === x) last[1]++;
    else runs.push([x, 1]);
  });
  return runs;
}
