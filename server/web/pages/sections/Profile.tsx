import { useState } from 'preact/hooks';
import type { Account, AccountAnswer } from '../../../../shared/account.ts';
import type { SignInOptions } from '../../../../shared/auth.ts';
import { call } from '../../kit/api.ts';
import { instant } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { Failure, useAct } from '../../kit/parts.tsx';

export function Profile({ answer }: { answer: AccountAnswer }) {
  const { account } = answer;
  const options = useResource<SignInOptions>('/api/auth/options', []);
  return (
    <>
      <Name account={account} />
      {options.value?.email && <Email account={account} />}
      <News account={account} />
      <h2>This account</h2>
      <dl class="facts">
        {account.email && (
          <>
            <dt>Email address</dt>
            <dd>{account.email}</dd>
          </>
        )}
        <dt>Signs in by</dt>
        <dd>{account.providers?.join(', ') || 'nothing yet'}</dd>
        <dt>Made</dt>
        <dd>{instant(account.createdAt)}</dd>
        <dt>Id, for the operator</dt>
        <dd class="code">{account.id}</dd>
      </dl>
    </>
  );
}

function Name({ account }: { account: Account }) {
  const [name, setName] = useState(account.name ?? '');
  const [isSaved, setSaved] = useState(false);
  const { isBusy, failure, act } = useAct();
  const save = async (event: Event) => {
    event.preventDefault();
    setSaved(await act(() => call('PATCH', '/api/account', { name: name.trim() })));
  };
  return (
    <form onSubmit={(event) => void save(event)}>
      <label class="field">
        Name
        <input
          value={name}
          maxLength={100}
          required
          autocomplete="name"
          onInput={(event) => {
            setName(event.currentTarget.value);
            setSaved(false);
          }}
        />
      </label>
      {failure && <Failure failure={failure} />}
      <div class="row">
        <button type="submit" disabled={isBusy || name.trim() === '' || name.trim() === (account.name ?? '')}>
          Save
        </button>
        <span role="status" class="soft">
          {isSaved && 'Saved.'}
        </span>
      </div>
    </form>
  );
}

function Email({ account }: { account: Account }) {
  const [email, setEmail] = useState('');
  const [code, setCode] = useState('');
  const [step, setStep] = useState<'ask' | 'code' | 'done'>('ask');
  const { isBusy, failure, act } = useAct();
  const ask = async (event: Event) => {
    event.preventDefault();
    if (await act(() => call('POST', '/api/account/email', { email }))) setStep('code');
  };
  const confirm = async (event: Event) => {
    event.preventDefault();
    if (!(await act(() => call('POST', '/api/account/email/confirm', { email, code })))) return;
    setStep('done');
    setEmail('');
    setCode('');
  };
  return (
    <>
      <h2>{account.email ? 'Another email address' : 'Email address'}</h2>
      {failure && <Failure failure={failure} />}
      {step === 'code' ? (
        <form onSubmit={(event) => void confirm(event)}>
          <p>
            A code of 6 digits is on its way to <strong>{email}</strong>. It is good for 10 minutes.
          </p>
          <label class="field">
            Code
            <input
              value={code}
              inputMode="numeric"
              autocomplete="one-time-code"
              maxLength={12}
              minLength={6}
              required
              onInput={(event) => setCode(event.currentTarget.value)}
            />
          </label>
          <div class="row">
            <button type="submit" disabled={isBusy}>
              Take this address
            </button>
            <button type="button" class="quiet" onClick={() => setStep('ask')}>
              Another one
            </button>
          </div>
        </form>
      ) : (
        <form onSubmit={(event) => void ask(event)}>
          <label class="field">
            New address
            <input
              type="email"
              value={email}
              maxLength={320}
              required
              autocomplete="email"
              onInput={(event) => setEmail(event.currentTarget.value)}
            />
          </label>
          <p class="soft">From then on you sign in by the new address, and not by the old one any more.</p>
          <div class="row">
            <button type="submit" class="quiet" disabled={isBusy}>
              Send a code
            </button>
            <span role="status" class="soft">
              {step === 'done' && 'It is your address now.'}
            </span>
          </div>
        </form>
      )}
    </>
  );
}

function News({ account }: { account: Account }) {
  const { isBusy, failure, act } = useAct();
  // The choice shows at once and is reverted if the server refuses it.
  const [chosen, setChosen] = useState<boolean>();
  return (
    <>
      <h2>Mail</h2>
      {failure && <Failure failure={failure} />}
      <label class="check">
        <input
          type="checkbox"
          checked={chosen ?? account.marketing ?? false}
          disabled={isBusy}
          onChange={(event) => {
            const marketing = event.currentTarget.checked;
            setChosen(marketing);
            void act(() => call('PATCH', '/api/account', { marketing })).then((ok) => ok || setChosen(undefined));
          }}
        />
        <span>News about Perigee. Notices about your account come in any case.</span>
      </label>
    </>
  );
}
