import type { CaseAccount } from '../../../../shared/desk.ts';
import { counted, dayOf, instant } from '../../kit/format.ts';
import { DECISION_WORDS, KIND_NAMES } from '../words.ts';

/** Whose account it is: enough to judge its use, and no more. */
export function AccountBlock({ account }: { account: CaseAccount | null }) {
  if (!account)
    return (
      <section aria-labelledby="account">
        <h2 id="account">The account</h2>
        <p class="soft">It was deleted. The case is kept without a name until its time is over.</p>
      </section>
    );
  const { label, createdAt, tier, hasPlan, hasPaid, devices, browsers, keys, declared, isTeam, earlier } = account;
  const money = hasPlan ? 'has a plan' : hasPaid ? 'has bought credits' : 'has never paid';
  return (
    <section aria-labelledby="account">
      <h2 id="account">The account</h2>
      <dl class="facts">
        <dt>Owner</dt>
        <dd>
          {label}
          {account.isSuspended && (
            <span class="tag mark">
              suspended {account.suspendedUntil ? `until ${instant(account.suspendedUntil)}` : 'until further notice'}
            </span>
          )}
          {isTeam && <span class="tag">sold to a team</span>}
        </dd>
        <dt>Since</dt>
        <dd>
          {dayOf(createdAt)}, tier {tier}, {money}
        </dd>
        <dt>Signed in on</dt>
        <dd>
          {counted(devices, 'device')}, {counted(browsers, 'browser')}, {counted(keys, 'API key')}
        </dd>
        <dt>Declared</dt>
        <dd>
          {declared.length === 0 ? (
            <span class="soft">nothing; nobody has to</span>
          ) : (
            <ul class="plain-items">
              {declared.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          )}
        </dd>
        <dt>Earlier cases</dt>
        <dd>
          {earlier.length === 0 ? (
            <span class="soft">none</span>
          ) : (
            <ul class="plain-items">
              {earlier.map(({ number, kind, decision, isReversed }) => (
                <li key={number}>
                  <a href={`#decided/${number}`}>Case {number}</a>: {KIND_NAMES[kind]},{' '}
                  {decision ? DECISION_WORDS[decision].done : 'not decided'}
                  {isReversed && ', reversed by an appeal'}
                </li>
              ))}
            </ul>
          )}
        </dd>
      </dl>
    </section>
  );
}
