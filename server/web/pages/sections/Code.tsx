import { useState } from 'preact/hooks';
import { inCredits } from '../../../../shared/money/amounts.ts';
import type { ClaimAnswer, PromotionsAnswer } from '../../../../shared/promotions.ts';
import { call } from '../../kit/api.ts';
import { useResource } from '../../kit/live.ts';
import { Failure, useAct } from '../../kit/parts.tsx';

/** The field for a promotion code; nothing if this account can't claim any promotion. */
export function Code() {
  const promotions = useResource<PromotionsAnswer>('/api/promotions', ['account', 'balance']);
  const [code, setCode] = useState('');
  const [given, setGiven] = useState<ClaimAnswer>();
  const { isBusy, failure, act } = useAct();
  const claim = () =>
    act(async () => {
      setGiven(await call<ClaimAnswer>('POST', '/api/promotions/claim', { code }));
      setCode('');
    });
  // An error message stays, even if the promotion has ended by now.
  const isOpen = promotions.value?.claimable === true || failure !== undefined;
  return (
    <>
      {given && (
        <p role="status">
          <strong>You got {inCredits(given.amountMicro)}.</strong> {given.reason}
        </p>
      )}
      {isOpen && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void claim();
          }}
        >
          {failure && <Failure failure={failure} />}
          <div class="field">
            <label for="code">Have a code?</label>
            <div class="row">
              <input
                id="code"
                class="grow"
                value={code}
                maxLength={200}
                autocomplete="off"
                autocapitalize="characters"
                spellcheck={false}
                onInput={(event) => setCode(event.currentTarget.value)}
              />
              <button type="submit" class="quiet" disabled={isBusy || code.trim() === ''}>
                Get the credits
              </button>
            </div>
          </div>
        </form>
      )}
    </>
  );
}
