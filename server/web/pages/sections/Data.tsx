import { useState } from 'preact/hooks';
import type { AccountAnswer } from '../../../../shared/account.ts';
import { call } from '../../kit/api.ts';
import { instant } from '../../kit/format.ts';
import { Confirm } from '../../kit/parts.tsx';
import { Use } from './Use.tsx';

export function Data({ answer }: { answer: AccountAnswer }) {
  const { closing } = answer.account;
  const [asks, setAsks] = useState(false);
  return (
    <>
      <h2>Export</h2>
      <p>
        A ZIP file with your profile, devices, token log, conversations and what we see of how you use the account, as
        JSON and Markdown. Large accounts take a while.
      </p>
      <p>
        <a class="button quiet" href="/api/account/export" download>
          Export everything
        </a>
      </p>
      {answer.account.kind === 'member' && <Use />}
      <h2>Delete conversations</h2>
      <p>
        One by one or all of them, under <a href="#conversations">Conversations</a>.
      </p>
      <h2>Close the account</h2>
      {closing ? (
        <p>
          It is closed, and deleted for good on <strong>{instant(closing.goneAt)}</strong>. Until then it can be kept:
          see above.
        </p>
      ) : (
        <>
          <p>
            Nothing is answered any more, and after 7 days the account is deleted for good. Until then you can keep it.
          </p>
          <button type="button" class="quiet" onClick={() => setAsks(true)}>
            Close the account
          </button>
        </>
      )}
      {asks && (
        <Confirm
          title="Close your account?"
          yes="Close the account"
          isDanger
          onYes={() => call('POST', '/api/account/closing')}
          onClose={() => setAsks(false)}
        >
          <p>
            After 7 days it is deleted with its conversations, its devices and what is left of its credits. Nobody can
            bring it back then.
          </p>
          <p>Until then you can sign in, export your data, and keep the account on this page.</p>
          <p>
            <a href="/api/account/export" download>
              Export your data first
            </a>
          </p>
        </Confirm>
      )}
    </>
  );
}
