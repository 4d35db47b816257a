import { useEffect, useRef, useState } from 'preact/hooks';
import type { Case } from '../../../../shared/desk.ts';
import { CallFailed, call } from '../../kit/api.ts';
import { useDraft } from '../../kit/draft.ts';
import { instant } from '../../kit/format.ts';
import { When } from '../../kit/now.tsx';
import { Failure, useAct } from '../../kit/parts.tsx';
import { HEARING } from '../templates.ts';
import { Reason } from './Reason.tsx';

type TheAppeal = NonNullable<Case['appeal']>;
type Outcome = 'upheld' | 'reversed';

/** What the owner says against a decision, and the form by which somebody else decides about it. */
export function Appeal(props: { one: Case; appeal: TheAppeal; reload: () => void; decided: (text: string) => void }) {
  const { one, appeal } = props;
  return (
    <section aria-labelledby="appeal" class="appeal">
      <h2 id="appeal">
        The appeal{' '}
        <span class="soft">
          · <When at={appeal.at} />
        </span>
      </h2>
      <dl class="facts">
        <dt>About</dt>
        <dd class="plain">{appeal.time}</dd>
        <dt>Use case</dt>
        <dd class="plain">{appeal.useCase}</dd>
        <dt>Numbers</dt>
        <dd>{appeal.numbersMayBeUsed ? 'may help to test the rules' : 'stay here'}</dd>
      </dl>
      {appeal.pictures.length > 0 && <Pictures number={one.number} pictures={appeal.pictures} />}
      {appeal.outcome ? (
        <div class="box notice">
          <p>
            <strong>{appeal.outcome === 'upheld' ? 'The decision stays' : 'Reversed'}</strong>, by{' '}
            {appeal.decidedBy ?? (appeal.heardBy === 'operator' ? 'the operator' : 'a reviewer')}
            {appeal.decidedAt && `, ${instant(appeal.decidedAt)}`}
          </p>
          {appeal.why && <p class="plain">{appeal.why}</p>}
        </div>
      ) : appeal.mayDecide ? (
        <Hear {...props} />
      ) : (
        <p class="box notice">
          {appeal.heardBy === 'operator'
            ? 'There is no other reviewer, so the operator decides it, by the command “admin appeal”.'
            : 'You decided this case, so another reviewer hears the appeal.'}
        </p>
      )}
    </section>
  );
}

function Pictures({ number, pictures }: { number: number; pictures: TheAppeal['pictures'] }) {
  const [large, setLarge] = useState<number>();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (large !== undefined && !dialog.current?.open) dialog.current?.showModal();
  }, [large]);
  const at = (id: string) => `/api/desk/cases/${number}/pictures/${id}`;
  const shown = large === undefined ? undefined : pictures[large];
  const step = (by: number) => setLarge((n) => Math.max(0, Math.min(pictures.length - 1, (n ?? 0) + by)));
  return (
    <>
      <ul class="pictures" aria-label="Pictures">
        {pictures.map(({ id, width, height }, n) => (
          <li key={id}>
            <button
              type="button"
              class="picture"
              aria-label={`Picture ${n + 1}, ${width} by ${height}: open it large`}
              onClick={() => setLarge(n)}
            >
              <img src={at(id)} alt="" width={width} height={height} loading="lazy" />
            </button>
          </li>
        ))}
      </ul>
      {shown && (
        <dialog
          ref={dialog}
          class="large"
          aria-label={`Picture ${large! + 1} of ${pictures.length}`}
          onClose={() => setLarge(undefined)}
          onKeyDown={(event) => {
            if (event.key === 'ArrowRight') step(1);
            if (event.key === 'ArrowLeft') step(-1);
          }}
        >
          <img
            key={shown.id}
            src={at(shown.id)}
            alt={`From the owner, ${large! + 1} of ${pictures.length}`}
            width={shown.width}
            height={shown.height}
          />
          <div class="row">
            <button type="button" onClick={() => dialog.current?.close()}>
              Close
            </button>
            {pictures.length > 1 && (
              <>
                <button type="button" class="quiet" disabled={large === 0} onClick={() => step(-1)}>
                  Before
                </button>
                <button type="button" class="quiet" disabled={large === pictures.length - 1} onClick={() => step(1)}>
                  Next
                </button>
                <span class="soft">
                  {large! + 1} of {pictures.length}
                </span>
              </>
            )}
          </div>
        </dialog>
      )}
    </>
  );
}

const OUTCOMES: readonly (readonly [Outcome, string, string])[] = [
  ['upheld', 'The decision stays', 'Nothing changes. The owner reads your reason.'],
  [
    'reversed',
    'Reverse it',
    'A suspension or closing ends now, credits that were taken come back, a link works again, and the owner is told that we are sorry.',
  ],
];

function Hear({ one, reload, decided }: { one: Case; reload: () => void; decided: (text: string) => void }) {
  const [outcome, setOutcome] = useState<Outcome>();
  const [why, write, forget] = useDraft(`appeal.${one.number}`);
  const { isBusy, failure, act } = useAct();
  const submit = async (event: Event) => {
    event.preventDefault();
    await act(async () => {
      try {
        await call('POST', `/api/desk/cases/${one.number}/appeal`, { outcome, why: why.trim() });
      } catch (error) {
        if (error instanceof CallFailed && ['already_decided', 'not_to_decide'].includes(error.code)) reload();
        throw error;
      }
      forget();
      decided(
        outcome === 'upheld' ? 'The decision stays. The owner has been told.' : 'Reversed. The owner has been told.',
      );
    });
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <fieldset class="decisions">
        <legend>Decide about the appeal</legend>
        {OUTCOMES.map(([value, name, does]) => (
          <label key={value} class={value === outcome ? 'chosen' : undefined}>
            <input
              type="radio"
              name="outcome"
              value={value}
              required
              checked={value === outcome}
              onChange={() => setOutcome(value)}
            />
            <span>
              <strong>{name}</strong>
              <span class="soft does">{does}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Reason
        id="hearing"
        label="Answer, which the owner reads"
        text={why}
        write={write}
        templates={outcome ? HEARING[outcome] : []}
      />
      {failure && <Failure failure={failure} />}
      <button type="submit" disabled={isBusy}>
        {outcome === 'reversed' ? 'Reverse the decision' : outcome === 'upheld' ? 'Let it stay' : 'Decide'}
      </button>
    </form>
  );
}
