import { useEffect, useState } from 'preact/hooks';
import type { Account } from '../../../shared/account.ts';
import type { PageAnswer, SignInOptions } from '../../../shared/auth.ts';
import { asFailure, type CallFailed, call } from '../kit/api.ts';
import { useResource } from '../kit/live.ts';
import { Failure, Loading, useAct } from '../kit/parts.tsx';

/** The account's label, here and in the editor. */
export function labelOf({ email, name, kind, providers }: Account): string {
  if (email ?? name) return (email ?? name)!;
  if (kind === 'guest') return 'a guest';
  return providers?.includes('local') ? 'local user' : 'your account';
}

/** Shown when the editor opened this page: names the account, and signs in only after a click. */
export function Enter({ code, onDone }: { code: string; onDone: () => void }) {
  const [known, setKnown] = useState<PageAnswer>();
  const [failure, setFailure] = useState<CallFailed>();
  const { isBusy, failure: refused, act } = useAct();
  useEffect(() => {
    call<PageAnswer>('POST', '/api/auth/page', { code, confirm: false }).then(setKnown, (error) =>
      setFailure(asFailure(error)),
    );
  }, [code]);
  const enter = () =>
    act(async () => {
      await call('POST', '/api/auth/page', { code, confirm: true });
      onDone();
    });
  if (failure)
    return (
      <Card title="This link does not open the page">
        <Failure failure={failure} />
        <button type="button" class="quiet" onClick={onDone}>
          Go on without it
        </button>
      </Card>
    );
  if (!known) return <Loading />;
  return (
    <Card title="Open your account page?">
      <p>
        As <strong>{labelOf(known.account)}</strong>, in this browser. Go on only if you have just asked for it in your
        editor.
      </p>
      {known.replaces && (
        <p>
          <strong>{labelOf(known.replaces)}</strong> is signed in in this browser now, and will be signed out here.
        </p>
      )}
      {refused && <Failure failure={refused} />}
      <div class="row">
        <button type="button" disabled={isBusy} onClick={() => void enter()}>
          Open it
        </button>
        <button type="button" class="quiet" disabled={isBusy} onClick={onDone}>
          Cancel
        </button>
      </div>
    </Card>
  );
}

/** Shown when this browser has no session. */
export function SignedOut() {
  const options = useResource<SignInOptions>('/api/auth/options', []);
  if (options.failure) return <Failure failure={options.failure} again={options.reload} />;
  if (!options.value) return <Loading />;
  const { providers, email } = options.value;
  const canSignIn = providers.length > 0 || email;
  return (
    <Card title="Your account">
      {canSignIn && (
        <>
          <p>See what is left, read and delete conversations, end sessions, and export your data.</p>
          <p>
            <a class="button" href="/sign-in">
              Sign in
            </a>
          </p>
        </>
      )}
      <p class="soft">
        {canSignIn ? 'Or open it from your editor' : 'Open it from your editor'}: the command “Perigee: Open Account
        Page”.
      </p>
    </Card>
  );
}

function Card({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <main class="card">
      <p class="brand">Perigee</p>
      <h1>{title}</h1>
      {children}
    </main>
  );
}
