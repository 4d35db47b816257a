import { useEffect, useRef, useState } from 'preact/hooks';
import type { Case, List } from '../../../../shared/desk.ts';
import { instant } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { When } from '../../kit/now.tsx';
import { Failure, Loading } from '../../kit/parts.tsx';
import { useKeys } from '../keys.tsx';
import { DECISION_WORDS, KIND_TITLES, LIST_NAMES } from '../words.ts';
import { AccountBlock } from './AccountBlock.tsx';
import { Appeal } from './Appeal.tsx';
import { Decide } from './Decide.tsx';
import { Evidence } from './Evidence.tsx';
import { Projects } from './Projects.tsx';
import { Second } from './Second.tsx';
import { Week } from './Week.tsx';

/** An opened case: what was seen, whose account it is, and what can be decided. */
export function CaseView({ number, list }: { number: number; list: List }) {
  const { value, failure, reload } = useResource<Case>(`/api/desk/cases/${number}`, []);
  const heading = useRef<HTMLHeadingElement>(null);
  const [said, setSaid] = useState('');
  const isThere = value !== undefined;
  useEffect(() => heading.current?.focus(), [isThere]);
  useKeys({
    Escape: () => {
      location.hash = list;
    },
  });
  const decided = (text: string) => {
    setSaid(text);
    reload();
    heading.current?.focus();
    scrollTo(0, 0);
  };
  return (
    <>
      <p class="back">
        <a href={`#${list}`}>← {LIST_NAMES[list]}</a>
      </p>
      <h1 ref={heading} tabIndex={-1}>
        Case {number}
        {value && <span class="soft"> · {KIND_TITLES[value.kind]}</span>}
      </h1>
      <p role="status" class={said ? 'box notice' : 'hidden'}>
        {said}
      </p>
      {failure && <Failure failure={failure} again={failure.code === 'not_found' ? undefined : reload} />}
      {!value && !failure && <Loading />}
      {value && <Opened one={value} reload={reload} decided={decided} />}
    </>
  );
}

function Opened({ one, reload, decided }: { one: Case; reload: () => void; decided: (text: string) => void }) {
  const { dossier, account, appeal, second, decisions } = one;
  return (
    <>
      <p class="soft case-when">
        {one.kind === 'operator' ? 'Decided' : 'Flagged'} <When at={one.openedAt} />
        {dossier.lines.length > 0 && `, of what was seen since ${instant(dossier.observedSince)}`}
        {one.endedAt && ` · ended ${instant(one.endedAt)}`}
      </p>
      {appeal && <Appeal one={one} appeal={appeal} decided={decided} reload={reload} />}
      <Evidence dossier={dossier} />
      {dossier.week && <Week week={dossier.week} />}
      {dossier.projects && dossier.projects.length > 0 && <Projects projects={dossier.projects} />}
      <AccountBlock account={account} />
      {decisions.length > 0 && <SoFar decisions={decisions} />}
      {second && <Second one={one} second={second} decided={decided} />}
      <Decide one={one} reload={reload} decided={decided} />
    </>
  );
}

function SoFar({ decisions }: { decisions: Case['decisions'] }) {
  return (
    <section aria-labelledby="so-far">
      <h2 id="so-far">Decided so far</h2>
      <ol class="steps">
        {decisions.map(({ id, kind, at, by, until, why, rule, answer, answeredAt }) => (
          <li key={id}>
            <p class="step-head">
              <strong>
                {DECISION_WORDS[kind].name.replace(
                  'until …',
                  until ? `until ${instant(until)}` : 'until further notice',
                )}
              </strong>{' '}
              <span class="soft">
                by {by}, <When at={at} />
              </span>
            </p>
            {why === null ? <p class="soft">The reason went with the account.</p> : <p class="plain">{why}</p>}
            <p class="soft">{rule}</p>
            {kind === 'ask' &&
              (answer === null ? (
                <p class="soft">
                  {answeredAt ? 'The answer went with the account.' : 'The owner has not answered yet.'}
                </p>
              ) : (
                <blockquote>
                  <p class="plain">{answer}</p>
                  {answeredAt && (
                    <p class="soft">
                      the owner, <When at={answeredAt} />
                    </p>
                  )}
                </blockquote>
              ))}
          </li>
        ))}
      </ol>
    </section>
  );
}
