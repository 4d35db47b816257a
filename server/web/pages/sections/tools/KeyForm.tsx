import { useEffect, useRef, useState } from 'preact/hooks';
import { MAX_KEY_NAME, MICRO_PER_CREDIT } from '../../../../../shared/constants.ts';
import type { ApiKey, KeyRequest } from '../../../../../shared/keys.ts';
import type { ModelsAnswer } from '../../../../../shared/models.ts';
import { exactCredits } from '../../../../../shared/money/amounts.ts';
import { Failure, useAct } from '../../../kit/parts.tsx';

const CREDITS = /^\d{1,9}([.,]\d{1,6})?$/;

/** What is typed as a number of credits, in micro-credits; null for nothing, undefined for what is no such number. */
function microOf(typed: string): number | null | undefined {
  const text = typed.trim();
  if (text === '') return null;
  const micro = CREDITS.test(text) ? Math.round(Number(text.replace(',', '.')) * MICRO_PER_CREDIT) : 0;
  return micro > 0 ? micro : undefined;
}

/** The instant at which a day of the reader's own zone has passed. */
function endOf(day: string): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number];
  return new Date(year, month - 1, date + 1).toISOString();
}

/** A day of the reader's own zone, as date fields write it. */
function dayIn(instant: number): string {
  const date = new Date(instant);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Makes a key, or changes the one that is given. Empty fields are no limits. */
export function KeyForm(props: {
  of?: ApiKey;
  models: ModelsAnswer['models'];
  onSave: (request: KeyRequest) => Promise<void>;
  onCancel: () => void;
}) {
  const { of } = props;
  const [name, setName] = useState(of?.name ?? '');
  const [only, setOnly] = useState<readonly string[]>(of?.models ?? []);
  const [cap, setCap] = useState(of?.monthlyMicro ? exactCredits(of.monthlyMicro).replaceAll(',', '') : '');
  const lastDay = of?.expiresAt ? dayIn(Date.parse(of.expiresAt) - 1) : '';
  const [day, setDay] = useState(lastDay);
  const { isBusy, failure, act } = useAct();
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const monthlyMicro = microOf(cap);
  const ids = [...new Set([...props.models.map(({ id }) => id), ...(of?.models ?? [])])];
  const save = (event: Event) => {
    event.preventDefault();
    // An unchanged day keeps the exact instant.
    const expiresAt = day === lastDay ? (of?.expiresAt ?? null) : day === '' ? null : endOf(day);
    const request = { name: name.trim(), models: only.length > 0 ? [...only] : null, monthlyMicro };
    // A past end that was not changed is no mistake.
    const ending = of && expiresAt === of.expiresAt ? {} : { expiresAt };
    void act(() => props.onSave({ ...request, ...ending }));
  };
  return (
    <form onSubmit={save} aria-label={of ? `Change ${of.name}` : 'Make a key'}>
      {failure && <Failure failure={failure} />}
      <label class="field">
        Name
        <input
          value={name}
          maxLength={MAX_KEY_NAME}
          required
          autocomplete="off"
          placeholder="OpenCode on the laptop"
          ref={first}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      {ids.length > 1 && (
        <fieldset class="field">
          <legend>Models</legend>
          {ids.map((id) => (
            <label key={id} class="check">
              <input
                type="checkbox"
                checked={only.includes(id)}
                onChange={(event) =>
                  setOnly(event.currentTarget.checked ? [...only, id] : only.filter((one) => one !== id))
                }
              />
              <span>{id}</span>
            </label>
          ))}
          <span class="soft">None ticked: all of them, later ones too.</span>
        </fieldset>
      )}
      <label class="field">
        Credits a month
        <input
          value={cap}
          inputMode="decimal"
          autocomplete="off"
          placeholder="no cap"
          aria-invalid={monthlyMicro === undefined}
          aria-describedby="cap-help"
          onInput={(event) => setCap(event.currentTarget.value)}
        />
        <span id="cap-help" class={monthlyMicro === undefined ? 'problem-text' : 'soft'}>
          {monthlyMicro === undefined
            ? 'Write a number of credits, such as 20 or 12.5, or nothing.'
            : 'Calendar months, in UTC. Running calls count.'}
        </span>
      </label>
      <label class="field">
        Last day
        <input
          type="date"
          value={day}
          min={of ? undefined : dayIn(Date.now())}
          onInput={(event) => setDay(event.currentTarget.value)}
        />
        <span class="soft">Empty: until you revoke it.</span>
      </label>
      <div class="row">
        <button type="submit" disabled={isBusy || name.trim() === '' || monthlyMicro === undefined}>
          {of ? 'Save' : 'Make the key'}
        </button>
        <button type="button" class="quiet" disabled={isBusy} onClick={props.onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
