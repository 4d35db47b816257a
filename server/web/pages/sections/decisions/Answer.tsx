import { MAX_APPEAL_TEXT } from '../../../../../shared/decisions.ts';
import { call } from '../../../kit/api.ts';
import { useDraft } from '../../../kit/draft.ts';
import { Failure, useAct } from '../../../kit/parts.tsx';

/** The owner's answer to a question. */
export function Answer({ id, answer, reload }: { id: string; answer: string | null; reload: () => void }) {
  const [text, write, forget] = useDraft(`answer.${id}`);
  const { isBusy, failure, act } = useAct();
  if (answer !== null)
    return (
      <>
        <p class="soft">Your answer</p>
        <p class="plain quoted">{answer}</p>
      </>
    );
  const send = (event: Event) => {
    event.preventDefault();
    return act(async () => {
      await call('POST', `/api/account/decisions/${id}/answer`, { text: text.trim() });
      forget();
      reload();
    });
  };
  return (
    <form onSubmit={(event) => void send(event)}>
      <label class="field wide-field">
        Your answer
        <textarea
          value={text}
          rows={4}
          maxLength={MAX_APPEAL_TEXT}
          required
          onInput={(event) => write(event.currentTarget.value)}
        />
      </label>
      {failure && <Failure failure={failure} />}
      <button type="submit" disabled={isBusy}>
        Send the answer
      </button>
    </form>
  );
}
