import { useEffect, useRef, useState } from 'preact/hooks';
import { type DeskState, LISTS, type List } from '../../../shared/desk.ts';
import { call } from '../kit/api.ts';
import { counted } from '../kit/format.ts';
import { Failure, Loading, useAct } from '../kit/parts.tsx';
import { Cases } from './Cases.tsx';
import { CaseView } from './case/CaseView.tsx';
import { Flagging } from './Flagging.tsx';
import { Card, NoDesk, SignedOut } from './gate/Card.tsx';
import { Code, WithoutCode } from './gate/Code.tsx';
import { SetUp } from './gate/Factor.tsx';
import { KeysHelp, useKeys } from './keys.tsx';
import { NumbersView } from './Numbers.tsx';
import { type Place, useDeskState, usePlace, useTimeLeft } from './state.ts';
import { Trail } from './Trail.tsx';
import { LIST_NAMES } from './words.ts';

/** The reviewers' desk, or the way to it. */
export function Desk() {
  const { state, failure, reload } = useDeskState();
  // Once it was open, it stays mounted, so that nothing is lost that was typed. What can be seen of it is hidden.
  const [wasOpen, setWasOpen] = useState(false);
  const isOpen = state !== undefined && !failure && state.openUntil !== null;
  useEffect(() => {
    if (isOpen) setWasOpen(true);
    // Whose role has ended has nothing to go on with.
    if (failure?.code === 'not_found') setWasOpen(false);
  }, [isOpen, failure?.code]);
  if (failure?.code === 'not_found') return <NoDesk />;
  if (failure?.code === 'unauthorized' && !wasOpen) return <SignedOut />;
  if (!state)
    return failure ? (
      <Card title="The reviewers’ desk">
        <Failure failure={failure} again={reload} />
      </Card>
    ) : (
      <Loading />
    );
  const isShown = isOpen || (failure !== undefined && failure.code !== 'unauthorized' && state.openUntil !== null);
  return (
    <>
      {!isShown && (
        <Closed state={state} isSignedOut={failure?.code === 'unauthorized'} wasOpen={wasOpen} reload={reload} />
      )}
      {(isShown || wasOpen) && (
        <div hidden={!isShown}>
          <Open state={state} reload={reload} />
        </div>
      )}
    </>
  );
}

function Closed(props: { state: DeskState; isSignedOut: boolean; wasOpen: boolean; reload: () => void }) {
  const { state, isSignedOut, wasOpen, reload } = props;
  // A begun factor counts as one; its secret stays to be seen until the first code.
  const [needsSetUp] = useState(state.needsFactor && !state.hasFactor);
  const kept = wasOpen && <p>The desk has closed. What you have typed is kept, and you go on where you were.</p>;
  if (isSignedOut)
    return (
      <Card title="You are signed out">
        {kept}
        <p>
          <a href="/sign-in?to=desk" target="_blank" rel="noopener">
            Sign in in another tab
          </a>
          , then come back to this one.
        </p>
        <button type="button" class="quiet" onClick={reload}>
          I have signed in
        </button>
      </Card>
    );
  return (
    <Card title={wasOpen ? 'Open the desk again' : needsSetUp ? 'Set up the desk' : 'Open the desk'}>
      {kept}
      <p class="soft">
        As <strong>{state.name}</strong>
      </p>
      {!state.needsFactor ? (
        <WithoutCode onOpen={reload} />
      ) : needsSetUp || !state.hasFactor ? (
        <SetUp onOpen={reload} />
      ) : (
        <>
          <Code label="Six digits from your app" yes="Open the desk" onOpen={reload} />
          <p class="soft lost">
            Without the app, ask the operator for a new setup code: <code>admin reviewer EMAIL --setup</code>.
          </p>
        </>
      )}
    </Card>
  );
}

const PARTS = [
  ['trail', 'Trail'],
  ['numbers', 'Numbers'],
  ['flagging', 'Flagging'],
] as const;

const isList = (part: string): part is List => (LISTS as readonly string[]).includes(part);

function titleOf({ part, case: number }: Place): string {
  if (number !== undefined) return `Case ${number}`;
  return isList(part) ? LIST_NAMES[part] : (PARTS.find(([id]) => id === part)?.[1] ?? LIST_NAMES.open);
}

function Open({ state, reload }: { state: DeskState; reload: () => void }) {
  const at = usePlace();
  const [isHelp, setHelp] = useState(false);
  // The list that a case was opened from is behind it, and keeps its place.
  const list: List = isList(at.part) ? at.part : 'open';
  const isOther = PARTS.some(([id]) => id === at.part);
  const title = titleOf(at);
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirst = useRef(true);
  const before = useRef(at);
  useEffect(() => {
    document.title = `${title} · Perigee desk`;
    const isBack = before.current.case !== undefined && at.case === undefined;
    before.current = at;
    // Back from a case, its line in the list has the focus, if it is still there.
    const isKept = isBack && document.activeElement !== null && document.activeElement !== document.body;
    // Not at the start: the browser announces the page then.
    if (!isFirst.current && !isKept) {
      heading.current?.focus();
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [title]);
  useKeys({ '?': () => setHelp(true) });
  const counts: Partial<Record<List, number>> = state.counts ?? {};
  return (
    <div class="page desk">
      <header>
        <p class="brand">Perigee desk</p>
        <p class="who">{state.name}</p>
        <TimeLeft openUntil={state.openUntil} reload={reload} />
      </header>
      <nav aria-label="Parts of the desk">
        <ul>
          {LISTS.map((id) => (
            <li key={id}>
              <a href={`#${id}`} aria-current={!isOther && id === list ? 'page' : undefined}>
                {LIST_NAMES[id]}{' '}
                {(counts[id] ?? 0) > 0 && (
                  <span class="count">
                    {counts[id]}
                    <span class="hidden"> waiting</span>
                  </span>
                )}
              </a>
            </li>
          ))}
          {PARTS.map(([id, name], n) => (
            <li key={id} class={n === 0 ? 'apart' : undefined}>
              <a href={`#${id}`} aria-current={id === at.part ? 'page' : undefined}>
                {name} {id === 'flagging' && state.paused && <span class="count stopped">stopped</span>}
              </a>
            </li>
          ))}
        </ul>
        <button type="button" class="link keys-button" onClick={() => setHelp(true)}>
          Keys <kbd>?</kbd>
        </button>
      </nav>
      <main>
        {at.case === undefined && (
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
        )}
        {!isOther && (
          <div hidden={at.case !== undefined}>
            <Cases key={list} list={list} isShown={at.case === undefined} counts={state.counts} />
          </div>
        )}
        {!isOther && at.case !== undefined && <CaseView key={`${list}/${at.case}`} number={at.case} list={list} />}
        {at.part === 'trail' && <Trail />}
        {at.part === 'numbers' && <NumbersView />}
        {at.part === 'flagging' && <Flagging paused={state.paused} />}
      </main>
      {isHelp && <KeysHelp onClose={() => setHelp(false)} />}
    </div>
  );
}

/** How long the desk stays open without use, and the way out. */
function TimeLeft({ openUntil, reload }: { openUntil: string | null; reload: () => void }) {
  const left = useTimeLeft(openUntil ?? new Date(0).toISOString());
  const { isBusy, failure, act } = useAct();
  const leave = async () => {
    if (await act(() => call('DELETE', '/api/desk/session'))) reload();
  };
  const minutes = Math.ceil(left / 60_000);
  return (
    <>
      {left > 0 && (
        <span class={minutes <= 2 ? 'left problem-text' : 'left soft'} title="Every use of the desk keeps it open.">
          open for {counted(minutes, 'minute')}
        </span>
      )}
      {failure && <span class="problem-text">{failure.title}</span>}
      <button type="button" class="quiet" disabled={isBusy} onClick={() => void leave()}>
        Leave
      </button>
    </>
  );
}
