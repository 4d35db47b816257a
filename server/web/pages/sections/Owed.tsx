import type { OffersAnswer } from '../../../../shared/credits.ts';
import { creditsSpent, withUnit } from '../../../../shared/money/amounts.ts';

/** The amount that an account owes after refunded or disputed payments, if any. */
export function Owed({ sold, owedMicro }: Pick<OffersAnswer, 'sold' | 'owedMicro'>) {
  if (owedMicro === 0) return null;
  return (
    <div class="box problem">
      <p>
        <strong>You owe {withUnit(creditsSpent(owedMicro))}.</strong> They were spent before their payment went back.{' '}
        {sold ? 'What you buy next, and what' : 'What'} an answer leaves of bought credits pays them first.
      </p>
    </div>
  );
}
