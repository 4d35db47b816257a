import assert from 'node:assert/strict';
import { Attempts } from '../../../server/accounts/sessions/attempts.ts';
import type { AppError } from '../../../server/platform/errors.ts';
import { ENGINES } from '../../support/engines.ts';
import { freshBooks } from '../../support/server.ts';

const HOUR = 3_600_000;

for (const engine of ENGINES)
  describe(`attempts (${engine})`, () => {
    let books: Awaited<ReturnType<typeof freshBooks>>;
    let now = Date.UTC(2026, 0, 1);
    const waitMs = (error: unknown) => Date.parse((error as AppError).extras.retryAt!) - now;
    before(async function () {
      this.timeout(60_000);
      books = await freshBooks(engine);
    });
    after(() => books.close());
    const attempts = () => new Attempts(books.db, { now: () => now });
    const spend = async (key: string) => {
      for (let n = 0; n < 6; n++) await attempts().count('mailByNetwork', key);
    };

    it('are counted by all nodes together, exactly', async () => {
      const nodes = [attempts(), attempts(), attempts()];
      const all = await Promise.allSettled(
        Array.from({ length: 12 }, (_, n) => nodes[n % 3]!.count('mailByNetwork', 'a')),
      );
      assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 6);
    });

    it('wait an hour at most, also when the clock is set back by two', async () => {
      await spend('b');
      now -= 2 * HOUR;
      await assert.rejects(attempts().check('mailByNetwork', 'b'), (error) => waitMs(error) <= HOUR);
      await assert.rejects(attempts().count('mailByNetwork', 'b'), (error) => waitMs(error) <= HOUR);
      now += HOUR / 2;
      await assert.rejects(attempts().count('mailByNetwork', 'b'), (error) => waitMs(error) <= HOUR / 2);
      now += HOUR / 2 + 1;
      await attempts().count('mailByNetwork', 'b');
      now += HOUR;
    });

    it('that were right are given back', async () => {
      for (let n = 0; n < 20; n++) {
        await attempts().count('mailByNetwork', 'c');
        await attempts().giveBack('mailByNetwork', 'c');
      }
      await spend('c');
    });

    it('refused by a narrow share use up no wider one', async () => {
      const keys = { mailbox: 'm', network: 'n', flow: 'f', known: null };
      const { countMail } = await import('../../../server/accounts/sessions/mailCodes.ts');
      for (let n = 0; n < 3; n++) await countMail(attempts(), keys);
      for (let n = 0; n < 20; n++) await assert.rejects(countMail(attempts(), keys));
      for (let n = 0; n < 3; n++) await countMail(attempts(), { ...keys, flow: `f${n}` });
    });
  });
