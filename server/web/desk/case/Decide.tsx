import { useState } from 'preact/hooks';
import { DECISIONS, type DecisionKind } from '../../../../shared/decisions.ts';
import type { Case, Decide as Decision } from '../../../../shared/desk.ts';
import { CallFailed, call } from '../../kit/api.ts';
import { Told, titleOf } from '../../kit/decisionWords.tsx';
import { useDraft } from '../../kit/draft.ts';
import { zoned } from '../../kit/format.ts';
import { Confirm, Failure, useAct } from '../../kit/parts.tsx';
import { useKeys } from '../keys.tsx';
import { templatesOf } from '../templates.ts';
import { DECISION_WORDS } from '../words.ts';
import { Reason } from './Reason.tsx';
import { endOfDay, SuspendUntil } from './SuspendUntil.tsx';

const REASON = 'reason';

/** The form by which a reviewer decides. What is typed stays, whatever happens to the case meanwhile. */
export function Decide(props: { one: Case; reload: () => void; decided: (text: string) => void }) {
  const { one, reload, decided } = props;
  const { number, may, whyNot, account } = one;
  const [kind, setKind] = useState<DecisionKind>();
  const [why, write, forget] = useDraft(`case.${number}`);
  const [day, setDay] = useState('');
  const [asks, setAsks] = useState(false);
  const { isBusy, failure, act } = useAct();
  const choose = (n: number) => () => {
    const wanted = DECISIONS[n];
    if (!wanted || !may.includes(wanted)) return;
    setKind(wanted);
    document.getElementById(`choice-${wanted}`)?.focus();
  };
  useKeys(Object.fromEntries(DECISIONS.map((_, n) => [String(n + 1), choose(n)])));
  const until = kind === 'suspend' && day !== '' ? endOfDay(day) : null;
  const send = async () => {
    const decision: Decision = { step: one.decisions.length, kind: kind!, why: why.trim(), ...(until && { until }) };
    try {
      await call('POST', `/api/desk/cases/${number}/decisions`, decision);
    } catch (error) {
      // Somebody was first: what they decided is shown, and the reason stays here.
      if (error instanceof CallFailed && ['already_decided', 'not_to_decide'].includes(error.code)) reload();
      throw error;
    }
    forget();
    setKind(undefined);
    setDay('');
    decided(saidOf(kind!));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (kind === 'suspend' || kind === 'close') setAsks(true);
    else void act(send);
  };
  // An appeal that waits is decided above, and what was decided stands there as well.
  const isSaid = one.decisions.length > 0 && !failure && why === '';
  if (may.length === 0 && isSaid) return null;
  if (may.length === 0)
    return (
      <section aria-labelledby="decide">
        <h2 id="decide">Decide</h2>
        {failure && <Failure failure={failure} />}
        <p>{whyNot ?? 'There is nothing to decide here.'}</p>
        {why !== '' && (
          <label class="field wide-field">
            Your text, which was not sent
            <textarea value={why} rows={5} readOnly />
          </label>
        )}
      </section>
    );
  const told = kind && { kind, until, deletedAt: null, takenMicro: null, why: why.trim(), rule: null };
  return (
    <section aria-labelledby="decide">
      <h2 id="decide">Decide</h2>
      <form onSubmit={submit}>
        <fieldset class="decisions">
          <legend class="hidden">What follows</legend>
          {DECISIONS.map((one, n) =>
            may.includes(one) ? (
              <label key={one} class={one === kind ? 'chosen' : undefined}>
                <input
                  id={`choice-${one}`}
                  type="radio"
                  name="decision"
                  value={one}
                  required
                  checked={one === kind}
                  onChange={() => setKind(one)}
                />
                <span>
                  <strong>{DECISION_WORDS[one].name}</strong>
                  <span class="soft does">{DECISION_WORDS[one].does}</span>
                </span>
                <span class="key" aria-hidden="true">
                  {n + 1}
                </span>
              </label>
            ) : null,
          )}
        </fieldset>
        {kind === 'suspend' && <SuspendUntil day={day} onDay={setDay} />}
        <Reason
          id={REASON}
          label={kind === 'ask' ? 'Question, which the owner reads' : 'Reason, which the owner reads'}
          text={why}
          write={write}
          templates={kind ? templatesOf(one.kind, kind) : []}
        />
        {told && told.why !== '' && (
          <section class="preview" aria-label="What the owner will read">
            <p class="soft">What the owner will read</p>
            <h3>{titleOf(told)}</h3>
            <Told told={told} />
            <p class="soft">
              With the rule of the terms
              {told.kind === 'ask' || told.kind === 'nothing' ? '.' : ', and how to appeal within 30 days.'}
            </p>
          </section>
        )}
        {failure && <Failure failure={failure} />}
        <div class="row">
          <button type="submit" class={kind === 'close' ? 'danger' : undefined} disabled={isBusy}>
            {kind ? nameOf(kind) : 'Decide'}
          </button>
        </div>
      </form>
      {asks && kind && (
        <Confirm
          title={kind === 'close' ? `Close the account of ${account?.label}?` : `Suspend ${account?.label}?`}
          yes={kind === 'close' ? 'Close the account' : 'Suspend'}
          isDanger
          onYes={async () => {
            // A refusal is shown in the form, where the reason is.
            await act(send);
          }}
          onClose={() => setAsks(false)}
        >
          {kind === 'suspend' ? (
            <p>
              From now until <strong>{until && zoned(until)}</strong> it gets no answers: in no editor, on no page, by
              no API key. Answers that are running end now, and are charged for what came.
            </p>
          ) : (
            <p>
              From now on it gets no answers, and in <strong>30 days</strong> it is deleted with all its data, unless an
              appeal is open then. Answers that are running end now, and are charged for what came.
            </p>
          )}
          <p>The owner is told at once, with your reason, and can appeal.</p>
        </Confirm>
      )}
    </section>
  );
}

const nameOf = (kind: DecisionKind) =>
  ({
    nothing: 'Decide: nothing',
    ask: 'Ask the owner',
    warn: 'Warn the owner',
    reset: 'Take the credits back',
    referrals: 'End the link',
    suspend: 'Suspend …',
    close: 'Close the account …',
  })[kind];

const saidOf = (kind: DecisionKind) =>
  ({
    nothing: 'Decided: nothing. The case is closed.',
    ask: 'Asked. The case waits under “Asked” for the owner’s answer.',
    warn: 'Warned. The owner has been told.',
    reset: 'The credits were taken back. The owner has been told.',
    referrals: 'The link has ended. The owner has been told.',
    suspend: 'Suspended. The owner has been told.',
    close: 'Closed. The owner has been told.',
  })[kind];
