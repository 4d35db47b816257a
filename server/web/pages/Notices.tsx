import { useState } from 'preact/hooks';
import type { AccountAnswer, Notice } from '../../../shared/account.ts';
import type { SignInOptions } from '../../../shared/auth.ts';
import { call } from './api.ts';
import { withInstants } from './format.ts';
import { useResource } from './live.ts';
import { Failure, useAct } from './parts.tsx';

/** What the owner must know, each with its way on. */
export function Notices({ answer, reload }: { answer: AccountAnswer; reload: () => void }) {
  if (answer.notices.length === 0) return null;
  return (
    <section aria-label="Notices">
      {answer.notices.map((notice) => (
        <One key={notice.id} notice={notice} termsDue={answer.account.termsDue} reload={reload} />
      ))}
    </section>
  );
}

function One({ notice, termsDue, reload }: { notice: Notice; termsDue: string | undefined; reload: () => void }) {
  const { isBusy, failure, act } = useAct();
  const keep = () => act(() => call('DELETE', '/api/account/closing').then(reload));
  return (
    <div class="box notice">
      <p>{withInstants(notice.text)}</p>
      {failure && <Failure failure={failure} />}
      {notice.kind === 'closing' && (
        <div class="row">
          <button type="button" disabled={isBusy} onClick={() => void keep()}>
            Keep the account
          </button>
          <a class="button quiet" href="/api/account/export" download>
            Export everything
          </a>
        </div>
      )}
      {notice.kind === 'suspended' && (
        <a class="button quiet" href="/api/account/export" download>
          Export everything
        </a>
      )}
      {notice.kind === 'terms' && termsDue !== undefined && <Terms version={termsDue} reload={reload} />}
    </div>
  );
}

function Terms({ version, reload }: { version: string; reload: () => void }) {
  const options = useResource<SignInOptions>('/api/auth/options', []);
  const [isTicked, setTicked] = useState(false);
  const { isBusy, failure, act } = useAct();
  if (!options.value) return null;
  const { smallestAge, terms } = options.value;
  const accept = () => act(() => call('POST', '/api/account/terms', { version }).then(reload));
  return (
    <>
      {failure && <Failure failure={failure} />}
      <label class="check">
        <input type="checkbox" checked={isTicked} onChange={(event) => setTicked(event.currentTarget.checked)} />
        <span>
          I am {smallestAge} or older and accept the{' '}
          {terms.url ? (
            <a href={terms.url} target="_blank" rel="noopener noreferrer">
              terms of use
            </a>
          ) : (
            'terms of use'
          )}
          .
        </span>
      </label>
      <button type="button" disabled={!isTicked || isBusy} onClick={() => void accept()}>
        Accept
      </button>
    </>
  );
}
