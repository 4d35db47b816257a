import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';
import type { Tx } from '../../platform/db/database.ts';
import { lockWallet, readFunds } from '../journal/journal.ts';
import { available } from '../rules/ledger.ts';
import { grant } from './store.ts';

/** The amount of one grant; large, so that the token log shows mostly runs and not grants. */
const STEP_MICRO = 1000 * MICRO_PER_CREDIT;

/** For the local account, which is metered and not limited: grants what a hold of `neededMicro` lacks. */
export async function topUp(
  tx: Tx,
  { accountId, runId, neededMicro, at }: { accountId: string; runId: string; neededMicro: number; at: number },
): Promise<void> {
  const availableMicro = available(await readFunds(tx, await lockWallet(tx, accountId)));
  if (availableMicro >= neededMicro) return;
  const amountMicro = Math.max(STEP_MICRO, neededMicro - availableMicro);
  await grant(tx, { accountId, amountMicro, requestId: `local:${runId}`, reason: 'Use of your own server', at });
}
