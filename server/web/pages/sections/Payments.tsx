import type { PaymentPageAnswer, PaymentsAnswer } from '../../../../shared/credits.ts';
import { moneyText } from '../../../../shared/money/money.ts';
import { call } from '../../kit/api.ts';
import { dayOf } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { Failure, useAct } from '../../kit/parts.tsx';

type Paid = PaymentsAnswer['payments'][number];

const STATES: Partial<Record<Paid['state'], string>> = {
  refunded: 'given back',
  disputed: 'withheld by your bank',
  unclaimed: 'credited to nobody',
};

/** The payments with their receipts, and a link to the payment service's own page. */
export function Payments() {
  const { value, failure, reload } = useResource<PaymentsAnswer>('/api/credits/payments', ['balance']);
  const { isBusy, failure: refusal, act } = useAct();
  if (failure) return <Failure failure={failure} again={reload} />;
  if (!value || (value.payments.length === 0 && !value.portal)) return null;
  const open = (path: string) =>
    void act(async () => location.assign((await call<PaymentPageAnswer>('POST', path)).url));
  return (
    <>
      <h2>Payments</h2>
      {refusal && <Failure failure={refusal} />}
      <ul class="list">
        {value.payments.map(({ id, name, cents, currency, interval, state, paidAt }) => (
          <li key={id}>
            <div class="grow">
              <div>{name}</div>
              <div class="soft">
                {interval === null ? dayOf(paidAt) : `since ${dayOf(paidAt)}`}
                {STATES[state] && ` · ${STATES[state]}`}
              </div>
            </div>
            <span class="number">
              {moneyText(cents, currency)}
              {interval !== null && ` a ${interval}`}
            </span>
            <button
              type="button"
              class="quiet"
              disabled={isBusy}
              aria-label={`Receipt of ${name}, ${dayOf(paidAt)}`}
              onClick={() => open(`/api/credits/payments/${id}/receipt`)}
            >
              Receipt
            </button>
          </li>
        ))}
      </ul>
      {value.portal && (
        <div class="row">
          <button type="button" class="quiet" disabled={isBusy} onClick={() => open('/api/credits/portal')}>
            Invoices and payment method
          </button>
          <span class="soft">at Stripe, which brings you back here</span>
        </div>
      )}
    </>
  );
}
