import type { AccountAnswer } from '../../../../../shared/account.ts';
import {
  APPEAL_DAYS,
  type DecisionKind,
  type OwnAppeal,
  type OwnDecision,
  type OwnDecisions,
} from '../../../../../shared/decisions.ts';
import { Told, titleOf } from '../../../kit/decisionWords.tsx';
import { dayOf, instant } from '../../../kit/format.ts';
import { useResource } from '../../../kit/live.ts';
import { When } from '../../../kit/now.tsx';
import { Failure, Loading } from '../../../kit/parts.tsx';
import { Answer } from './Answer.tsx';
import { AppealForm } from './AppealForm.tsx';
import { pictureAt } from './pictures.ts';

const PATH = '/api/account/decisions';

const APPEALABLE: readonly DecisionKind[] = ['warn', 'reset', 'referrals', 'suspend', 'close'];

/** What people have asked and decided about this account, with their reasons, and the ways to say something. */
export function Decisions({ answer }: { answer: AccountAnswer }) {
  const { value, failure, reload } = useResource<OwnDecisions>(PATH, ['account']);
  if (!value) return failure ? <Failure failure={failure} again={reload} /> : <Loading />;
  return (
    <>
      {failure && <Failure failure={failure} again={reload} />}
      {value.decisions.length === 0 ? (
        <>
          <p>Nobody has asked or decided anything about this account.</p>
          <p class="soft">
            If somebody ever does, you read here what, why and by which rule, and you can appeal. Many devices and
            tools, a VPN, a proxy and heavy use are no reason for it. <a href="#data">What you use</a> can be explained
            beforehand; nobody has to.
          </p>
        </>
      ) : (
        <>
          <p class="soft">
            A person has decided each of these. Your account’s number is <span class="code">{answer.account.id}</span>.
          </p>
          {value.decisions.map((one) => (
            <One key={one.id} one={one} reload={reload} />
          ))}
        </>
      )}
    </>
  );
}

function One({ one, reload }: { one: OwnDecision; reload: () => void }) {
  const { id, kind, at, answer, appeal, mayAppealUntil } = one;
  const isUndone = appeal?.outcome === 'reversed';
  const isOver = mayAppealUntil === null && appeal === null && APPEALABLE.includes(kind);
  return (
    <article class="decision" aria-labelledby={`decision-${id}`}>
      <h2 id={`decision-${id}`}>
        {isUndone ? <s>{titleOf(one)}</s> : titleOf(one)} {isUndone && <span class="tag">undone</span>}
      </h2>
      <p class="soft">
        <When at={at} /> · case {one.case}
      </p>
      <Told told={{ ...one, isUndone }} />
      {kind === 'ask' && <Answer id={id} answer={answer} reload={reload} />}
      {appeal && <Appealed id={id} appeal={appeal} hasNumbers={one.hasNumbers} />}
      {!appeal && mayAppealUntil && <AppealForm one={one} until={mayAppealUntil} reload={reload} />}
      {isOver && <p class="soft">The {APPEAL_DAYS} days for an appeal are over.</p>}
    </article>
  );
}

const HEARD_BY: Record<OwnAppeal['heardBy'], string> = {
  'another reviewer': 'Another reviewer decides it, not the one who decided first.',
  operator: 'The operator decides it, as there is one reviewer alone.',
};

function Appealed({ id, appeal, hasNumbers }: { id: string; appeal: OwnAppeal; hasNumbers: boolean }) {
  const { outcome, decidedAt, why, pictures } = appeal;
  return (
    <section class="box notice" aria-label="Your appeal">
      {outcome === null && (
        <p>
          <strong>Your appeal is being looked at.</strong> {HEARD_BY[appeal.heardBy]} You are told here and in your
          editor.
        </p>
      )}
      {outcome === 'reversed' && (
        <p>
          <strong>You were right, and we are sorry.</strong> The decision is undone, with all that followed from it.
        </p>
      )}
      {outcome === 'upheld' && (
        <p>
          <strong>The decision stays.</strong> {appeal.heardBy === 'operator' ? 'The operator' : 'Another reviewer'} has
          looked at your appeal.
        </p>
      )}
      {why && <p class="plain">{why}</p>}
      {decidedAt && <p class="soft">{instant(decidedAt)}</p>}
      <details>
        <summary>What you wrote on {dayOf(appeal.at)}</summary>
        <dl class="facts">
          <dt>Time</dt>
          <dd class="plain">{appeal.time}</dd>
          <dt>Use case</dt>
          <dd class="plain">{appeal.useCase}</dd>
          {hasNumbers && (
            <>
              <dt>Numbers</dt>
              <dd>{appeal.numbersMayBeUsed ? 'may help to test the rules' : 'are not used for anything else'}</dd>
            </>
          )}
        </dl>
        {pictures.length > 0 && (
          <ul class="pictures" aria-label="Your pictures">
            {pictures.map((one, n) => (
              <li key={one.id}>
                <a href={pictureAt(id, one.id)} target="_blank" rel="noopener">
                  <img
                    src={pictureAt(id, one.id)}
                    alt={`Yours, ${n + 1} of ${pictures.length}`}
                    width={one.width}
                    height={one.height}
                    loading="lazy"
                  />
                </a>
              </li>
            ))}
          </ul>
        )}
      </details>
    </section>
  );
}
