import assert from 'node:assert/strict';
import { auditLive } from '../../server/credits/audit.ts';
import { REFUND_CLASSES } from '../../shared/constants.ts';
import { FAILURES } from '../doubles/upstream.ts';
import type { Client } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';

const C = 1_000_000;

// Ways that other gateways got it wrong, by their numbers in the accounting rules.
onBothEngines(
  'what went wrong elsewhere',
  (server) => {
    /** Starts so many runs at once and reads those that were admitted to their end; returns the statuses. */
    async function atOnce(client: Client, count: number): Promise<number[]> {
      const requests = Array.from({ length: count }, (_, n) => client.chat(`at once ${n}`));
      const answers = await Promise.all(requests.map((request) => client.start(request)));
      for (const [i, { status }] of answers.entries()) if (status === 202) await client.events(requests[i]!.id);
      return answers.map(({ status }) => status).sort();
    }

    // Guard: `availableMicro < amountMicro` in splitHold, under the wallet's lock; the same for 2.
    it('1: of parallel requests with money for some, exactly those are admitted, and nothing is negative', async () => {
      const guest = await server().guest();
      for (let n = 0; n < 6; n++) await guest.run(guest.chat(`spend ${n}`));
      assert.deepEqual(await atOnce(guest, 24), [...Array(4).fill(202), ...Array(20).fill(402)]);
      assert.equal(await guest.available(), 0);
    });

    it('2: the first requests ever of a new guest, all at once, cost what they would one after the other', async () => {
      const guest = await server().guest();
      assert.deepEqual(await atOnce(guest, 16), [...Array(10).fill(202), ...Array(6).fill(402)]);
      const { entries } = (await guest.log()).body;
      assert.deepEqual(
        [entries.length, entries.reduce((sum, { amountMicro }) => sum + amountMicro, 0)],
        [11, 0],
        'one grant, ten charges',
      );
    });

    // Guard: chargeFund for every fund, in the transaction that changes the balance.
    it('9: what is cached agrees with the journal at every instant under load', async () => {
      const guests = await Promise.all(Array.from({ length: 6 }, () => server().guest()));
      server().double.script({ ...FAILURES.diesInMiddle, times: 6 });
      let isOver = false;
      const load = Promise.all(guests.map((guest) => atOnce(guest, 12))).finally(() => {
        isOver = true;
      });
      let audits = 0;
      for (; !isOver; audits++) assert.deepEqual(await auditLive(server().db, server().clock.now(), 60_000), []);
      await load;
      assert.ok(audits > 1, `${audits} audits meanwhile`);
    });

    // Guard: `refundedToday >= perDay` in whyNotRefunded.
    it('23: an edit that is said to have failed is refunded at most five times a day, whatever is told', async () => {
      assert.equal(REFUND_CLASSES.nothing_applied.cap, 'daily');
      const guest = await server().guest();
      const refunded: number[] = [];
      for (let n = 0; n < 7; n++) {
        const edit = guest.edit('make it better', `let a${n};`);
        await guest.run(edit);
        refunded.push((await guest.outcome(edit.id, 0, 1)).body.refundedMicro);
      }
      assert.deepEqual(refunded, [C, C, C, C, C, 0, 0]);
    });
  },
  {
    policy: (policy) => {
      policy.limits.guest = { requestsPerMinute: 1000, modelRequestsPerMinute: 1000, tokensPerMinute: 1e9 };
      policy.guests.perHour = 1000;
      policy.guests.perDay = 1000;
    },
  },
);
