import { useState } from 'preact/hooks';
import { type AppealRequest, MAX_APPEAL_TEXT, type OwnDecision } from '../../../../../shared/decisions.ts';
import { call } from '../../../kit/api.ts';
import { useDraft } from '../../../kit/draft.ts';
import { dayOf } from '../../../kit/format.ts';
import { Failure, useAct } from '../../../kit/parts.tsx';
import { Pictures } from './Pictures.tsx';
import { usePictures } from './pictures.ts';

/** An appeal: once, until then. What is typed survives a reload. */
export function AppealForm({ one, until, reload }: { one: OwnDecision; until: string; reload: () => void }) {
  const [time, writeTime, forgetTime] = useDraft(`appeal.time.${one.id}`);
  const [useCase, writeUseCase, forgetUseCase] = useDraft(`appeal.case.${one.id}`);
  const [consent, writeConsent, forgetConsent] = useDraft(`appeal.numbers.${one.id}`);
  const isBegun = time !== '' || useCase !== '' || one.waiting.length > 0;
  const [isOpen, setOpen] = useState(isBegun);
  const pictures = usePictures(one.id, one.waiting);
  const { isBusy, failure, act } = useAct();
  const isSending = pictures.all.some(({ picture, refusal }) => !picture && refusal === undefined);
  const send = (event: Event) => {
    event.preventDefault();
    return act(async () => {
      const appeal: AppealRequest = {
        time: time.trim(),
        useCase: useCase.trim(),
        pictures: pictures.all.flatMap(({ picture }) => (picture ? [picture.id] : [])),
        numbersMayBeUsed: consent !== '',
      };
      await call('POST', `/api/account/decisions/${one.id}/appeal`, appeal);
      for (const forget of [forgetTime, forgetUseCase, forgetConsent]) forget();
      reload();
    });
  };
  if (!isOpen)
    return (
      <div class="row">
        <button type="button" class="quiet" onClick={() => setOpen(true)}>
          Appeal
        </button>
        <span class="soft">once, until {dayOf(until)}</span>
      </div>
    );
  const paste = (event: ClipboardEvent) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    pictures.add(files);
  };
  return (
    <form class="appeal" onSubmit={(event) => void send(event)} onPaste={paste}>
      <h3>Your appeal</h3>
      <p class="soft">
        Once, until {dayOf(until)}. Somebody else than who decided reads it. Your account and the case go with it by
        themselves.
      </p>
      <label class="field wide-field">
        Which time is it about?
        <input
          value={time}
          maxLength={200}
          required
          placeholder="such as: the week from 16 November, or all of it"
          onInput={(event) => writeTime(event.currentTarget.value)}
        />
      </label>
      <label class="field wide-field">
        How do you use the account?
        <textarea
          value={useCase}
          rows={6}
          maxLength={MAX_APPEAL_TEXT}
          required
          placeholder="Who works with it, on which machines, with which tools, and what explains what was seen."
          onInput={(event) => writeUseCase(event.currentTarget.value)}
        />
      </label>
      <Pictures {...pictures} />
      {one.hasNumbers && (
        <label class="check">
          <input
            type="checkbox"
            checked={consent !== ''}
            onChange={(event) => writeConsent(event.currentTarget.checked ? 'yes' : '')}
          />
          <span>
            If I am right, the numbers of this case may help to test the rules: without my name, and without any text of
            mine. You may say no; it changes nothing for the appeal.
          </span>
        </label>
      )}
      {failure && <Failure failure={failure} />}
      <div class="row">
        <button type="submit" disabled={isBusy || isSending}>
          Send the appeal
        </button>
        {isSending && (
          <span class="soft" role="status">
            A picture is still being sent.
          </span>
        )}
        {!isBegun && pictures.all.length === 0 && (
          <button type="button" class="quiet" onClick={() => setOpen(false)}>
            Not now
          </button>
        )}
      </div>
    </form>
  );
}
