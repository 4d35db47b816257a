import { useState } from 'preact/hooks';
import { DECISIONS, type DecisionKind } from '../../../../shared/decisions.ts';
import type { Case } from '../../../../shared/desk.ts';
import { call } from '../../kit/api.ts';
import { useDraft } from '../../kit/draft.ts';
import { Failure, useAct } from '../../kit/parts.tsx';
import { DECISION_WORDS } from '../words.ts';
import { Reason } from './Reason.tsx';

type TheSecond = NonNullable<Case['second']>;

/** A judgement without knowing the first one. It changes nothing; it tells how far reviewers agree. */
export function Second(props: { one: Case; second: TheSecond; decided: (text: string) => void }) {
  const { one, second, decided } = props;
  const [kind, setKind] = useState<DecisionKind>();
  const [why, write, forget] = useDraft(`second.${one.number}`);
  const { isBusy, failure, act } = useAct();
  const submit = async (event: Event) => {
    event.preventDefault();
    await act(async () => {
      await call('POST', `/api/desk/cases/${one.number}/second`, { kind, why: why.trim() });
      forget();
      decided('Your second look is kept. Now you see how the case was decided.');
    });
  };
  if (!second.mayGive && second.given === null) return null;
  return (
    <section aria-labelledby="second">
      <h2 id="second">Second look</h2>
      {second.given !== null ? (
        <>
          <p>
            <strong>{DECISION_WORDS[second.given].name}</strong>
          </p>
          {second.why && <p class="plain">{second.why}</p>}
        </>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <p>
            Another reviewer has decided this case. How would you? Your judgement changes nothing for the owner, who
            does not read it. Afterwards you see what was decided.
          </p>
          <fieldset class="decisions">
            <legend class="hidden">What should follow</legend>
            {DECISIONS.filter((one) => one !== 'ask').map((one) => (
              <label key={one} class={one === kind ? 'chosen' : undefined}>
                <input
                  type="radio"
                  name="second"
                  value={one}
                  required
                  checked={one === kind}
                  onChange={() => setKind(one)}
                />
                <strong>{DECISION_WORDS[one].name}</strong>
              </label>
            ))}
          </fieldset>
          <Reason id="second-why" label="Why, for the other reviewers" text={why} write={write} templates={[]} />
          {failure && <Failure failure={failure} />}
          <button type="submit" disabled={isBusy}>
            Keep my judgement
          </button>
        </form>
      )}
    </section>
  );
}
