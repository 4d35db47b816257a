import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { grant, openWallet, placeHold, voidHold } from '../../server/credits/holds/store.ts';
import { waitForUncharged } from '../../server/credits/holds/uncharged.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { type FreeReason, REFUND_CLASSES } from '../../shared/constants.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks } from '../support/server.ts';

const AT = 1_800_000_000_000;
const CAP = { runs: 3, withinMinutes: 10 };
const FREE = (Object.keys(REFUND_CLASSES) as FreeReason[]).filter((code) => REFUND_CLASSES[code].charged === 'nothing');

describe('the classes of refund', () => {
  it('have each a sentence for users, and a cap unless the house alone can bring it about, or it costs nobody', () => {
    for (const { reason } of Object.values(REFUND_CLASSES)) assert.match(reason, /^[A-Z].*\.$/);
    const uncapped = Object.entries(REFUND_CLASSES).filter(([, { cap }]) => cap === null);
    assert.deepEqual(
      uncapped.map(([code]) => code),
      ['request_refused', 'interrupted', 'beyond_hold'],
    );
  });
});

for (const engine of ENGINES)
  describe(`23: refunds can not be farmed: answers that cost nothing (${engine})`, function () {
    this.timeout(60_000);
    let db: Database;
    let close: () => Promise<void>;
    before(async () => {
      ({ db, close } = await freshBooks(engine));
    });
    after(() => close());

    async function accountWith(reason: FreeReason, times: number): Promise<string> {
      const accountId = randomUUID();
      await db.write(async (tx) => {
        await openWallet(tx, accountId, randomUUID());
        await grant(tx, { accountId, amountMicro: 100, requestId: accountId, reason: 'for the test', at: AT });
        for (let n = 0; n < times; n++) {
          const runId = randomUUID();
          const at = AT + n * 1000;
          await placeHold(tx, { id: randomUUID(), accountId, runId, amountMicro: 1, at });
          const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 0, estimated: true };
          await voidHold(tx, { runId, conversationId: randomUUID(), model: 'm', tool: 't', usage }, reason, 0, at);
        }
      });
      return accountId;
    }
    const wait = (accountId: string, now: number) => waitForUncharged(db.read, CAP, accountId, now);

    // Guard: `reason_code in COUNTED` in uncharged.ts; without it the first of these fails, with an empty list the others.
    for (const reason of FREE)
      if (REFUND_CLASSES[reason].cap === null)
        it(`do not count where only the house can bring them about: ${reason}`, async () => {
          assert.equal(await wait(await accountWith(reason, 5), AT + 5000), null);
        });
      else
        it(`let the account wait after too many of them: ${reason}`, async () => {
          const accountId = await accountWith(reason, 3);
          const until = AT + 10 * 60_000;
          assert.equal(await wait(accountId, AT + 2000), until);
          assert.equal(await wait(accountId, until), null, 'the first has left the window');
          assert.equal(await wait(await accountWith(reason, 2), AT + 2000), null);
        });
  });
