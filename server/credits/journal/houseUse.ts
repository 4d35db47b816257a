import type { Usage } from '../../../shared/runs.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { HouseUseRow } from '../../platform/db/schema.ts';
import { assertAmount, HOUSE } from '../rules/ledger.ts';
import { post } from './journal.ts';

/** Books what the house asked a model for itself: its usage, and the cost that it pays. No account is charged. */
export async function bookHouseUse(
  tx: Tx,
  use: { id: string; purpose: HouseUseRow['purpose']; model: string; usage: Usage; costMicro: number; at: number },
): Promise<void> {
  const { id, purpose, model, usage, costMicro, at } = use;
  assertAmount(costMicro);
  await tx
    .insertInto('house_use')
    .values({
      id,
      purpose,
      model,
      input_tokens: usage.inputTokens,
      cached_input_tokens: usage.cachedInputTokens,
      output_tokens: usage.outputTokens,
      estimated: usage.estimated ? 1 : 0,
      cost: costMicro,
      at,
    })
    .execute();
  if (costMicro === 0) return;
  await post(tx, {
    id: `house:${id}`,
    debit: HOUSE.absorbed,
    credit: HOUSE.revenue,
    amount: costMicro,
    kind: 'house',
    request_id: id,
    hold_id: null,
    at,
  });
}
