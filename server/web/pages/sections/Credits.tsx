import { useEffect, useState } from 'preact/hooks';
import type {
  CheckoutAnswer,
  CheckoutRequest,
  CurrentPlan,
  Interval,
  OffersAnswer,
  PlanAnswer,
} from '../../../../shared/credits.ts';
import { exactCredits, inCredits } from '../../../../shared/money/amounts.ts';
import { moneyText } from '../../../../shared/money/money.ts';
import { call } from '../../kit/api.ts';
import { dayOf } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { Choice, Confirm, Failure, Loading, useAct } from '../../kit/parts.tsx';
import { Code } from './Code.tsx';
import { Owed } from './Owed.tsx';
import { Payments } from './Payments.tsx';
import { Prices } from './Prices.tsx';
import { Returned } from './Returned.tsx';

export function Credits() {
  const offers = useResource<OffersAnswer>('/api/credits/offers', ['balance']);
  return (
    <>
      <Returned />
      {offers.failure && <Failure failure={offers.failure} again={offers.reload} />}
      {!offers.value && !offers.failure && <Loading />}
      {offers.value && <Offers offers={offers.value} reload={offers.reload} />}
      <Code />
      {offers.value?.sold && <Payments />}
      {offers.value && <Prices />}
    </>
  );
}

/** The name of a pack often states its credits already. */
const saysCredits = (name: string, micro: number) =>
  name.replaceAll(',', '').includes(exactCredits(micro).replaceAll(',', ''));

type Buy = (request: CheckoutRequest) => void;

function Offers({ offers, reload }: { offers: OffersAnswer; reload: () => void }) {
  const { sold, current, owedMicro, packs, plans, currency } = offers;
  const { isBusy, failure, act } = useAct();
  const [isLeaving, setLeaving] = useState(false);
  // After the browser's back button the page is as it was, so enable the choice again.
  useEffect(() => {
    const shown = () => setLeaving(false);
    addEventListener('pageshow', shown);
    return () => removeEventListener('pageshow', shown);
  }, []);
  const buy: Buy = (request) =>
    void act(async () => {
      const { url } = await call<CheckoutAnswer>('POST', '/api/credits/checkout', request);
      setLeaving(true);
      location.assign(url);
    });
  const isDisabled = isBusy || isLeaving;
  return (
    <>
      <Owed sold={sold} owedMicro={owedMicro} />
      {failure && <Failure failure={failure} />}
      {!sold && !current && (
        <p class="soft">Nothing is sold here. The operator of this server can give you credits or a plan.</p>
      )}
      {current && <Current current={current} maySwitch={plans.length > 0} reload={reload} />}
      {(!current || current.cents === null) && plans.length > 0 && (
        <Plans plans={plans} currency={currency} isDisabled={isDisabled} buy={buy} />
      )}
      {packs.length > 0 && (
        <>
          <h2>Packs</h2>
          <p class="soft">
            Bought once, they add up and never expire. They are used after promotional credits
            {current || plans.length > 0 ? ' and the plan' : ''}, and money is not given back for them.
          </p>
          <ul class="offers">
            {packs.map(({ id, name, cents, creditsMicro }) => (
              <li key={id}>
                <h3>{name}</h3>
                {!saysCredits(name, creditsMicro) && <p>{inCredits(creditsMicro)}</p>}
                <p class="price">{moneyText(cents, currency)}</p>
                <button
                  type="button"
                  class="quiet"
                  disabled={isDisabled}
                  aria-label={`Buy ${name} for ${moneyText(cents, currency)}`}
                  onClick={() => buy({ pack: id })}
                >
                  Buy
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {sold && (
        <p class="soft" role="status">
          {isLeaving ? 'Opening the payment page …' : 'You pay at Stripe. This page never sees your card.'}
        </p>
      )}
    </>
  );
}

function Plans(props: { plans: OffersAnswer['plans']; currency: string; isDisabled: boolean; buy: Buy }) {
  const { plans, currency, isDisabled, buy } = props;
  const [interval, setInterval] = useState<Interval>('month');
  return (
    <>
      <h2>Plans</h2>
      <Choice
        label="Paid"
        name="interval"
        value={interval}
        options={[
          ['month', 'Monthly'],
          ['year', 'Yearly'],
        ]}
        onChoose={setInterval}
      />
      <ul class="offers">
        {plans.map(({ id, name, monthCents, yearCents, windows }) => {
          const cents = interval === 'month' ? monthCents : yearCents;
          const savedCents = interval === 'year' ? monthCents * 12 - yearCents : 0;
          const price = `${moneyText(cents, currency)} a ${interval}`;
          return (
            <li key={id}>
              <h3>{name}</h3>
              <ul class="plain-list">
                {windows.map((window) => (
                  <li key={window.name}>
                    {inCredits(window.limitMicro)} in any {window.name}
                  </li>
                ))}
              </ul>
              <p class="price">
                {price}
                {savedCents > 0 && <span class="soft"> · {moneyText(savedCents, currency)} less than monthly</span>}
              </p>
              <button
                type="button"
                disabled={isDisabled}
                aria-label={`Take ${name} for ${price}`}
                onClick={() => buy({ plan: id, interval })}
              >
                Take {name}
              </button>
            </li>
          );
        })}
      </ul>
      <p class="soft">
        A plan renews by itself until you cancel it. What it has room for is used first; beyond it, answers are paid
        from your other credits.
      </p>
    </>
  );
}

function Current(props: { current: CurrentPlan; maySwitch: boolean; reload: () => void }) {
  const { current, maySwitch, reload } = props;
  const { name, interval, until, renews, cents, currency, payUrl } = current;
  const [asks, setAsks] = useState(false);
  const { isBusy, failure, act } = useAct();
  const change = (what: 'cancel' | 'resume') => call<PlanAnswer>('POST', `/api/credits/plan/${what}`).then(reload);
  const price = cents === null ? 'given to you' : `${moneyText(cents, currency ?? 'usd')} a ${interval}`;
  return (
    <>
      <h2>Your plan</h2>
      {payUrl && (
        <div class="box problem">
          <p>
            <strong>The renewal could not be paid.</strong> The plan ends unless it is. Nothing else is lost.
          </p>
          <a class="button" href={payUrl}>
            Pay the renewal
          </a>
        </div>
      )}
      <div class="box">
        <p>
          <strong>{name}</strong> · {price}
        </p>
        <p class="soft">
          {cents === null
            ? `It stays until ${dayOf(until)}, and then ends.${maySwitch ? ' A plan that you buy takes its place.' : ''}`
            : renews
              ? `Renews by itself on ${dayOf(until)}.`
              : `Cancelled: it runs until ${dayOf(until)}, and then ends. Nothing more is charged.`}{' '}
          <a href="#balance">What is left of it</a>
        </p>
        {failure && <Failure failure={failure} />}
        {cents !== null && (
          <div class="row">
            {renews ? (
              <button type="button" class="quiet" onClick={() => setAsks(true)}>
                Cancel the plan
              </button>
            ) : (
              <button type="button" disabled={isBusy} onClick={() => void act(() => change('resume'))}>
                Keep the plan
              </button>
            )}
          </div>
        )}
      </div>
      {cents !== null && <p class="soft">To take another plan, cancel this one and wait for its end.</p>}
      {asks && (
        <Confirm
          title={`Cancel ${name}?`}
          yes="Cancel the plan"
          no="Keep it"
          isDanger
          onYes={() => change('cancel')}
          onClose={() => setAsks(false)}
        >
          <p>
            It stays until {dayOf(until)}, for that is paid, and does not renew. Until then you can change your mind.
          </p>
          <p>Your other credits stay as they are.</p>
        </Confirm>
      )}
    </>
  );
}
