import type { AccountAnswer, Balance as BalanceNow } from '../../../../shared/account.ts';
import type { LogAnswer, OffersAnswer } from '../../../../shared/credits.ts';
import { creditsChanged, creditsLeft, creditsSpent, withUnit } from '../../../../shared/money/amounts.ts';
import { guestMessages, meter } from '../../../../shared/money/meter.ts';
import { Split, type SplitPart } from '../../kit/charts.tsx';
import { zoned } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { When } from '../../kit/now.tsx';
import { Amount, Bar, Failure, Loading } from '../../kit/parts.tsx';
import { Owed } from './Owed.tsx';

export function Balance({ answer }: { answer: AccountAnswer }) {
  const { balance, account } = answer;
  const isGuest = account.kind === 'guest' && balance.guestMessagesLeft !== undefined;
  const isLimited = !isGuest && !balance.unlimited;
  const offers = useResource<OffersAnswer>(isLimited ? '/api/credits/offers' : null, ['balance']);
  return (
    <>
      {offers.value && <Owed {...offers.value} />}
      {balance.unlimited ? (
        <>
          <p class="big">Unlimited</p>
          <p class="soft">This server is your own: it counts your use and limits nothing.</p>
        </>
      ) : isGuest ? (
        <p class="big">
          <span class="number">{balance.guestMessagesLeft}</span> of {guestMessages(balance).of} free messages left
        </p>
      ) : (
        <Left balance={balance} />
      )}
      {isLimited && offers.value && <Little balance={balance} sold={offers.value.sold} />}
      {(balance.windows.length > 0 || (offers.value && offers.value.plans.length > 0)) && <Windows balance={balance} />}
      <Latest />
    </>
  );
}

/** The remaining balance and its parts. */
function Left({ balance }: { balance: BalanceNow }) {
  const { availableMicro, pendingMicro, promotionalMicro, purchasedMicro } = balance;
  const leftMicro = availableMicro + pendingMicro;
  const { text } = meter(balance, 'member');
  const planMicro = Math.max(0, availableMicro - promotionalMicro - purchasedMicro);
  const part = (id: SplitPart['id'], label: string, micro: number) => ({
    id,
    label,
    size: micro,
    text: creditsLeft(micro),
  });
  const hasPlan = balance.windows.length > 0;
  const ofMicro = Math.max(balance.ofMicro, leftMicro);
  return (
    <>
      <Split
        label="Left"
        text={text}
        of={ofMicro}
        parts={[
          ...(hasPlan ? [part('plan', 'Room in the plan, used first', planMicro)] : []),
          part('promotional', 'Promotional, spent before purchased ones', promotionalMicro),
          part('purchased', 'Purchased, never expire', purchasedMicro),
          ...(pendingMicro > 0 ? [part('pending', 'Set aside for running answers', pendingMicro)] : []),
        ]}
      />
      {ofMicro > leftMicro && (
        <p class="soft">
          The {creditsLeft(ofMicro)} are {hasPlan && 'the limit of the plan, and '}what you had of credits when some
          last came in.
        </p>
      )}
    </>
  );
}

/** The next step when little or nothing is left. */
function Little({ balance, sold }: { balance: BalanceNow; sold: boolean }) {
  const { severity } = meter(balance, 'member');
  if (severity === 'normal') return null;
  const isEmpty = severity === 'empty';
  return (
    <div class="box notice">
      <p>
        <strong>{isEmpty ? 'Nothing is left.' : 'Little is left.'}</strong>{' '}
        {balance.windows.some(({ nextFreeAt }) => nextFreeAt) &&
          'The windows of the plan below say when there is room again. '}
        {!sold && 'The operator of this server can give you more.'}
      </p>
      {sold && (
        <a class="button" href="#credits">
          Get credits
        </a>
      )}
    </div>
  );
}

function Windows({ balance }: { balance: BalanceNow }) {
  const { windows } = balance;
  return (
    <>
      <h2>Plan</h2>
      {windows.length === 0 && (
        <p class="soft">
          You have no plan. One gives so many credits in any few hours and in any week: see{' '}
          <a href="#credits">Credits</a>.
        </p>
      )}
      {windows.map((window) => {
        const leftMicro = Math.max(0, window.limitMicro - window.usedMicro);
        return (
          <div key={window.name} class="window">
            <Bar
              label={`In any ${window.name}`}
              text={`${creditsLeft(leftMicro)} of ${creditsLeft(window.limitMicro)} left`}
              share={window.limitMicro > 0 ? leftMicro / window.limitMicro : 0}
            />
            <p class="soft">
              {window.nextFreeAt ? (
                <>
                  <Amount micro={window.usedMicro} text={creditsSpent(window.usedMicro)} /> used.{' '}
                  {window.allFreeAt === null || window.allFreeAt === window.nextFreeAt ? (
                    `It is free again on ${zoned(window.nextFreeAt)}.`
                  ) : (
                    <>
                      <Amount micro={window.nextFreeMicro} text={withUnit(creditsSpent(window.nextFreeMicro))} /> of it{' '}
                      {creditsSpent(window.nextFreeMicro) === '1' ? 'frees' : 'free'} up on {zoned(window.nextFreeAt)},
                      all of it by {zoned(window.allFreeAt)}.
                    </>
                  )}
                </>
              ) : (
                'Nothing of it is used.'
              )}
            </p>
          </div>
        );
      })}
      {windows.length > 0 && <p class="soft">Beyond the plan, answers are paid from your other credits.</p>}
    </>
  );
}

function Latest() {
  const log = useResource<LogAnswer>('/api/credits/log?limit=8', ['balance']);
  return (
    <>
      <h2>Latest</h2>
      {log.failure && <Failure failure={log.failure} again={log.reload} />}
      {!log.value && !log.failure && <Loading />}
      {log.value?.entries.length === 0 && <p class="soft">Nothing was given or spent yet.</p>}
      {log.value && log.value.entries.length > 0 && (
        <>
          <ul class="list">
            {log.value.entries.map((entry) => (
              <li key={entry.id}>
                <div class="grow">
                  <div>{entry.reason}</div>
                  <div class="soft">
                    <When at={entry.at} />
                  </div>
                </div>
                <Amount micro={entry.amountMicro} text={creditsChanged(entry.amountMicro)} />
              </li>
            ))}
          </ul>
          <p>
            <a href="#log">The whole token log</a>
          </p>
        </>
      )}
    </>
  );
}
