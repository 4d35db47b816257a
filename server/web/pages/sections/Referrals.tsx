import type { ReferralsAnswer, Reward } from '../../../../shared/credits.ts';
import { exactCredits, inCredits } from '../../../../shared/money/amounts.ts';
import { call } from '../../kit/api.ts';
import { count, counted, dayOf } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { useMore } from '../../kit/more.ts';
import { Bar, Failure, Loading, useCopy } from '../../kit/parts.tsx';

/** A 404 means that this server has no referrals. */
export const REFERRALS = '/api/referrals';

type Terms = ReferralsAnswer['terms'];

export function Referrals() {
  const first = useResource<ReferralsAnswer>(REFERRALS, ['balance']);
  if (!first.value) return first.failure ? <Failure failure={first.failure} again={first.reload} /> : <Loading />;
  const { link, isRevoked, terms, earnedMicro, joined, invited } = first.value;
  return (
    <>
      {first.failure && <Failure failure={first.failure} again={first.reload} />}
      {isRevoked ? (
        <p class="box">
          Your link earns nothing any more, and nobody joins by it. A person has decided this:{' '}
          <a href="#decisions">read why, and how to appeal</a>.
        </p>
      ) : (
        <>
          <Link link={link} />
          <Rules terms={terms} />
        </>
      )}
      {invited && <Invited invited={invited} terms={terms} />}
      <h2>Who joined</h2>
      {joined === 0 ? (
        <p class="soft">Nobody has joined by your link yet.</p>
      ) : (
        <>
          <dl class="tiles">
            <div>
              <dt>Joined</dt>
              <dd class="number">{count(joined)}</dd>
            </div>
            <div>
              <dt>Credits earned</dt>
              <dd class="number">{exactCredits(earnedMicro)}</dd>
            </div>
          </dl>
          <Joined newest={first.value} />
        </>
      )}
    </>
  );
}

function Link({ link }: { link: string }) {
  const { input, said, copy } = useCopy('link');
  return (
    <>
      <label class="field">
        Your link
        <input ref={input} value={link} readOnly onFocus={(event) => event.currentTarget.select()} />
      </label>
      <div class="row">
        <button type="button" onClick={() => void copy()}>
          Copy the link
        </button>
        <span role="status" class="soft">
          {said}
        </span>
      </div>
    </>
  );
}

function Rules({ terms: { spent, firstPayment, used } }: { terms: Terms }) {
  return (
    <>
      <h2>What it brings</h2>
      <p>For each person who makes an account by it:</p>
      <ul class="rules">
        {spent.amountMicro > 0 && (
          <li>
            {inCredits(spent.amountMicro)} for you once they have spent {exactCredits(spent.spentMicro)}, for at most{' '}
            {counted(spent.perMonth, 'person', 'people')} a month; the others wait for the next one
          </li>
        )}
        {firstPayment.amountMicro > 0 && (
          <li>{inCredits(firstPayment.amountMicro)} for you with their first payment</li>
        )}
        {used.amountMicro > 0 && (
          <li>
            {inCredits(used.amountMicro)} for each of you once they have used {count(used.tokens)} tokens, however long
            it takes
          </li>
        )}
      </ul>
      <p class="soft">
        Each is paid once. A second account of your own, or an account made by a program, earns nothing.
      </p>
    </>
  );
}

/** What this account gets for having joined by a link. */
function Invited({ invited, terms }: { invited: NonNullable<ReferralsAnswer['invited']>; terms: Terms }) {
  const { reward, tokensUsed, refused } = invited;
  const amount = inCredits(reward.amountMicro);
  return (
    <>
      <h2>You joined by a link</h2>
      {refused !== null ? (
        <p>It brings you nothing: {refused}</p>
      ) : reward.state === 'pending' ? (
        <>
          <Bar
            label="Tokens used"
            text={`${count(Math.min(tokensUsed, terms.used.tokens))} of ${count(terms.used.tokens)}`}
            share={terms.used.tokens > 0 ? tokensUsed / terms.used.tokens : 1}
          />
          <p class="soft">When all are used, you get {amount}.</p>
        </>
      ) : (
        <p>{reward.paidAt ? `You got ${amount} on ${dayOf(reward.paidAt)}.` : `You get ${amount} shortly.`}</p>
      )}
    </>
  );
}

const pageOf = ({ referrals, before }: ReferralsAnswer) => ({ list: referrals, before });

function Joined({ newest }: { newest: ReferralsAnswer }) {
  const { list, before, failure, isLoading, loadMore } = useMore(pageOf(newest), {
    keyOf: ({ id }) => id,
    load: async (next) =>
      pageOf(await call<ReferralsAnswer>('GET', `${REFERRALS}?${new URLSearchParams({ before: next })}`)),
  });
  return (
    <>
      <p class="soft">Who they are is not told.</p>
      {failure && <Failure failure={failure} />}
      <ul class="list">
        {list.map((one) => (
          <li key={one.id}>
            <div class="grow">
              <div>Joined on {dayOf(one.joinedAt)}</div>
              {one.refused !== null ? (
                <div class="problem-text">Brings nothing: {one.refused}</div>
              ) : one.rewards.length === 0 ? (
                <div class="soft">Brings nothing: nothing could be earned here then.</div>
              ) : (
                <ul class="rewards">
                  {one.rewards.map((reward) => (
                    <RewardLine key={reward.reason} reward={reward} terms={newest.terms} />
                  ))}
                </ul>
              )}
            </div>
          </li>
        ))}
      </ul>
      {before && (
        <button type="button" class="quiet" disabled={isLoading} onClick={() => void loadMore()}>
          Show more
        </button>
      )}
    </>
  );
}

function RewardLine({ reward, terms }: { reward: Reward; terms: Terms }) {
  const { reason, state, amountMicro, paidAt } = reward;
  const events = {
    spent: `${inCredits(terms.spent.spentMicro)} spent`,
    first_payment: 'First payment',
    used: `${count(terms.used.tokens)} tokens used`,
  };
  const states = {
    pending: 'Pending',
    verified: 'Verified, is paid next',
    paid: paidAt ? `Paid on ${dayOf(paidAt)}` : 'Paid',
  };
  return (
    <li>
      <span class="grow">{events[reason]}</span>
      <span class={`tag ${state}`}>{states[state]}</span>
      <span class="number">+{exactCredits(amountMicro)}</span>
    </li>
  );
}
