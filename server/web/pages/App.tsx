import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { AccountAnswer } from '../../../shared/account.ts';
import { changesAt, Waking } from '../../../shared/waking.ts';
import { asFailure, type CallFailed, call } from '../kit/api.ts';
import { listen, useResource } from '../kit/live.ts';
import { Failure, Loading, useAct } from '../kit/parts.tsx';
import { Enter, labelOf, SignedOut } from './Enter.tsx';
import { Notices } from './Notices.tsx';
import { SECTIONS, type Section } from './sections.tsx';

/** `code` came in the page's address and has been removed from it. */
export function App({ code }: { code: string | undefined }) {
  const [pending, setPending] = useState(code);
  if (pending !== undefined) return <Enter code={pending} onDone={() => setPending(undefined)} />;
  return <Account />;
}

function Account() {
  const account = useResource<AccountAnswer>('/api/account', ['account', 'balance']);
  const isOut = account.failure?.code === 'unauthorized';
  const isKnown = account.value !== undefined;
  const { reload } = account;
  useEffect(() => {
    if (isKnown) listen(reload);
  }, [isKnown]);
  const waking = useMemo(() => new Waking(reload), []);
  useEffect(() => {
    const { value } = account;
    if (value) waking.watch(changesAt(value.account, value.balance, Date.now(), value.notices));
    return () => waking.stop();
  }, [account.value]);
  // The user may have signed in in another tab.
  useEffect(() => {
    if (!isOut || !isKnown) return;
    const look = () => document.visibilityState === 'visible' && reload();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [isOut, isKnown]);
  if (account.value) return <Page answer={account.value} isOut={isOut} reload={reload} />;
  if (isOut) return <SignedOut />;
  if (account.failure)
    return (
      <main class="card">
        <h1>Your account</h1>
        <Failure failure={account.failure} again={reload} />
      </main>
    );
  return <Loading />;
}

function place(): { section: string; id: string | undefined } {
  const [path = ''] = location.hash.slice(1).split('?');
  const [section = '', id] = path.split('/');
  return { section, id: id || undefined };
}

const isThere = ({ isFor }: Section, answer: AccountAnswer) => !isFor || isFor(answer);

const MISSING: CallFailed['code'][] = ['not_found', 'not_offered'];

/**
 * The sections that this server does not have. Each stays visible until the server answers 404, so that nothing moves
 * before.
 */
function useMissing(answer: AccountAnswer): (section: Section) => boolean {
  const [missing, setMissing] = useState<readonly Section[]>([]);
  useEffect(() => {
    for (const section of SECTIONS)
      if (section.path && isThere(section, answer))
        call('GET', section.path).catch(
          (error) => MISSING.includes(asFailure(error).code) && setMissing((all) => [...all, section]),
        );
  }, [answer.account.id]);
  return (section) => missing.includes(section);
}

function Page({ answer, isOut, reload }: { answer: AccountAnswer; isOut: boolean; reload: () => void }) {
  const [at, setAt] = useState(place);
  const heading = useRef<HTMLHeadingElement>(null);
  const { isBusy, failure, act } = useAct();
  const isMissing = useMissing(answer);
  const sections = SECTIONS.filter((section) => isThere(section, answer) && !isMissing(section));
  const shown = sections.find(({ id }) => id === at.section) ?? sections[0]!;
  useEffect(() => {
    const moved = () => {
      setAt(place());
      // Move the focus to the heading, so that a screen reader starts there.
      heading.current?.focus();
      scrollTo(0, 0);
    };
    addEventListener('hashchange', moved);
    // The address may have changed before this listener was added.
    setAt((shown) => (shown.section === place().section && shown.id === place().id ? shown : place()));
    return () => removeEventListener('hashchange', moved);
  }, []);
  useEffect(() => {
    document.title = `${shown.title} · Perigee`;
  }, [shown.title]);
  const signOut = () =>
    act(async () => {
      await call('POST', '/api/auth/sign-out');
      location.assign('/account');
    });
  const { View } = shown;
  return (
    <div class="page">
      <header>
        <p class="brand">Perigee</p>
        <p class="who">{labelOf(answer.account)}</p>
        <button type="button" class="quiet" disabled={isBusy || isOut} onClick={() => void signOut()}>
          Sign out
        </button>
      </header>
      <nav aria-label="Parts of this page">
        <ul>
          {sections.map(({ id, title }) => (
            <li key={id}>
              <a href={`#${id}`} aria-current={id === shown.id ? 'page' : undefined}>
                {title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main>
        {isOut && (
          <div class="box problem" role="alert">
            <p>
              <strong>You are signed out.</strong> What you see may be old; what you have typed is kept.{' '}
              <a href="/sign-in" target="_blank" rel="noopener">
                Sign in
              </a>{' '}
              in another tab, or open the page from your editor.
            </p>
          </div>
        )}
        {failure && <Failure failure={failure} />}
        <Notices answer={answer} reload={reload} />
        <h1 ref={heading} tabIndex={-1}>
          {shown.title}
        </h1>
        <View key={shown.id} answer={answer} id={at.id} />
      </main>
    </div>
  );
}
