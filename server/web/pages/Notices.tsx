import { useState } from 'preact/hooks';
import type { AccountAnswer, Notice } from '../../../shared/account.ts';
import type { SignInOptions } from '../../../shared/auth.ts';
import { call } from '../kit/api.ts';
import { withInstants } from '../kit/format.ts';
import { useResource } from '../kit/live.ts';
import { Failure, useAct } from '../kit/parts.tsx';

/** The notices that the owner must see, each with its next step. */
export function Notices({ answer, reload }: { answer: AccountAnswer; reload: () => void }) {
  const [seen, setSeen] = useState(readSeen);
  const notices = answer.notices.filter(({ kind, id }) => !DISMISSIBLE.includes(kind) || !seen.includes(id));
  if (notices.length === 0) return null;
  const see = (id: string) => {
    // Store only ids that still have a notice, so that the list never grows.
    const now = [id, ...seen.filter((one) => answer.notices.some((notice) => notice.id === one))];
    setSeen(now);
    writeSeen(now);
  };
  return (
    <section aria-label="Notices">
      {notices.map((notice) => (
        <One
          key={notice.id}
          notice={notice}
          termsDue={answer.account.termsDue}
          reload={reload}
          see={() => see(notice.id)}
        />
      ))}
    </section>
  );
}

/** Notices that require nothing: the reader can dismiss them. */
const DISMISSIBLE: readonly Notice['kind'][] = ['price', 'operator', 'client', 'decision'];
/** Local storage key: ids of the notices that were dismissed in this browser. */
const SEEN = 'perigee.seenNotices';

function readSeen(): readonly string[] {
  try {
    const seen: unknown = JSON.parse(localStorage.getItem(SEEN) ?? '[]');
    return Array.isArray(seen) ? seen.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

function writeSeen(ids: readonly string[]): void {
  try {
    localStorage.setItem(SEEN, JSON.stringify(ids));
  } catch {
    // Without storage, the notice shows again on the next visit.
  }
}

function One(props: { notice: Notice; termsDue: string | undefined; reload: () => void; see: () => void }) {
  const { notice, termsDue, reload, see } = props;
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
        <div class="row">
          <a class="button" href="#decisions">
            Why, and how to appeal
          </a>
          <a class="button quiet" href="/api/account/export" download>
            Export everything
          </a>
        </div>
      )}
      {DISMISSIBLE.includes(notice.kind) && (
        <div class="row">
          <button type="button" class="quiet" onClick={see}>
            Got it
          </button>
          {notice.kind === 'price' && <a href="#usage">What you use</a>}
          {notice.kind === 'decision' && <a href="#decisions">Read it under “Decisions”</a>}
        </div>
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
