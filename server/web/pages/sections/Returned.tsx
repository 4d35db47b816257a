import { useEffect, useState } from 'preact/hooks';
import type { PaymentAnswer } from '../../../../shared/credits.ts';
import { creditsLeft, withUnit } from '../../../../shared/money/amounts.ts';
import { asFailure, type CallFailed, call } from '../../kit/api.ts';
import { Failure } from '../../kit/parts.tsx';

/** Delays between polls while the payment is pending. Later payments are credited without this page, too. */
const PAUSES_MS = [1_500, 3_000, 6_000, 12_000, 24_000];

interface ComeBack {
  id: string;
  isLeft: boolean;
}

/** The payment page returns the user with `?checkout=<id>&payment=done|left` in the address. */
function comeBack(): ComeBack | undefined {
  const query = new URLSearchParams(location.search);
  const id = query.get('checkout');
  return id ? { id, isLeft: query.get('payment') === 'left' } : undefined;
}

const forget = () => history.replaceState(null, '', location.pathname + location.hash);

/** The outcome of the payment that the user returns from; nothing otherwise. */
export function Returned() {
  const [back] = useState(comeBack);
  return back ? <Payment back={back} /> : null;
}

function Payment({ back }: { back: ComeBack }) {
  const { payment, failure, isAsking, again } = useCheck(back);
  return (
    // Present from the start, so that a screen reader announces its changes.
    <div role="status">
      {failure && <Failure failure={failure} again={isAsking ? undefined : again} />}
      {!payment && !failure && <p class="box notice">Asking the payment service …</p>}
      {payment && !failure && <Outcome payment={payment} isLeft={back.isLeft} isAsking={isAsking} again={again} />}
    </div>
  );
}

function useCheck({ id, isLeft }: ComeBack) {
  const [payment, setPayment] = useState<PaymentAnswer>();
  const [failure, setFailure] = useState<CallFailed>();
  const [isAsking, setAsking] = useState(true);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (n: number) => {
      const found = await call<PaymentAnswer>('POST', `/api/credits/checkout/${encodeURIComponent(id)}/check`).catch(
        asFailure,
      );
      if (isGone) return;
      const failed = 'code' in found ? found : undefined;
      setFailure(failed);
      if (!('code' in found)) setPayment(found);
      const mayChange = 'code' in found ? mayPass(found) : waits(found, isLeft);
      if (mayChange && n < PAUSES_MS.length) {
        timer = setTimeout(() => void ask(n + 1), PAUSES_MS[n]);
        return;
      }
      setAsking(false);
      // The server was not reached: reloading the page tries again.
      if (!mayChange || !failed) forget();
    };
    setAsking(true);
    void ask(0);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [id, isLeft, turn]);
  return { payment, failure, isAsking, again: () => setTurn((n) => n + 1) };
}

const waits = ({ state }: PaymentAnswer, isLeft: boolean) => state === 'processing' || (state === 'open' && !isLeft);
const mayPass = ({ code }: CallFailed) => code !== 'not_found' && code !== 'invalid_request' && code !== 'not_for_sale';

function Outcome(props: { payment: PaymentAnswer; isLeft: boolean; isAsking: boolean; again: () => void }) {
  const { payment, isLeft, isAsking, again } = props;
  const [head, text] = wordsOf(payment, isLeft, isAsking);
  return (
    <div class="box notice">
      <p>
        <strong>{head}</strong> {text}
      </p>
      {(payment.url || waits(payment, isLeft)) && (
        <div class="row">
          {payment.url && (isLeft || !isAsking) && (
            <a class="button" href={payment.url}>
              Go on paying
            </a>
          )}
          {waits(payment, isLeft) && !isAsking && (
            <button type="button" class="quiet" onClick={again}>
              Ask again
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function wordsOf(payment: PaymentAnswer, isLeft: boolean, isAsking: boolean): [head: string, text: string] {
  const { state, name, creditsMicro, balance } = payment;
  switch (state) {
    case 'paid':
      return creditsMicro > 0
        ? ['Paid.', `${name}: they are yours. You have ${withUnit(creditsLeft(balance.availableMicro))} now.`]
        : ['Paid.', `Your plan ${name} has begun.`];
    case 'open':
      if (isLeft) return ['Nothing was charged.', `You left before you paid for ${name}. You can go on paying.`];
      return isAsking
        ? ['Not confirmed yet.', `The payment service has not said that ${name} is paid. Asking again …`]
        : [
            'Not confirmed yet.',
            `If you have paid for ${name}, it is credited by itself. If not, you can go on paying.`,
          ];
    case 'processing':
      return [
        'Still being processed.',
        `Your payment for ${name} is on its way, which can take days. It is credited by itself: there is nothing to do.`,
      ];
    case 'failed':
      return ['The payment failed.', `Nothing was charged for ${name}. You can try again, or pay in another way.`];
    case 'expired':
      return ['The payment page has expired.', `Nothing was charged for ${name}. You can begin again.`];
    case 'refunded':
      return ['Given back.', `The payment for ${name} went back to you.`];
    case 'disputed':
      return [
        'Withheld.',
        `Your bank holds back the payment for ${name}. Its credits are held back until the bank decides.`,
      ];
    case 'unclaimed':
      return ['This payment belongs to nobody.', 'Its account has ended.'];
  }
}
