import assert from 'node:assert/strict';
import { priceNotice, tellPrices } from '../../server/accounts/notices/priceNotice.ts';
import { type AnnouncedModel, announcePrices } from '../../server/credits/prices/announcements.ts';
import { priceAt } from '../../server/credits/rules/pricing.ts';
import type { ModelConfig } from '../../server/platform/config/config.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { createLog } from '../../server/platform/log.ts';
import type { Price } from '../../shared/models.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks } from '../support/server.ts';
import { somebodyWaits } from '../support/waiting.ts';

const C = 1_000_000;
const DAY = 24 * 3_600_000;
const NOW = Date.parse('2027-03-01T00:00:00Z');
const day = (n: number) => new Date(NOW + n * DAY).toISOString();
const flat = (credits: number): Price => ({ mode: 'flat', runMicro: credits * C });
const tokens = (input: number, output: number, above?: [number, number]): Price => ({
  mode: 'tokens',
  inputMicro: input * C,
  cachedInputMicro: C,
  outputMicro: output * C,
  ...(above
    ? {
        tiers: [{ aboveInputTokens: above[0], inputMicro: above[1] * C, cachedInputMicro: C, outputMicro: output * C }],
      }
    : {}),
});
const listed = (price: Price, ...priceChanges: [from: number, price: Price][]): ModelConfig => ({
  id: 'double',
  contextTokens: 128_000,
  maxOutputTokens: 1000,
  price,
  ...(priceChanges.length > 0
    ? { priceChanges: priceChanges.map(([from, to]) => ({ from: day(from), price: to })) }
    : {}),
});

for (const engine of ENGINES)
  describe(`a price list that changes (${engine})`, () => {
    /** Starts of a server, each on its day with its list, on one database that has an account. */
    async function starts(
      list: readonly [on: number, model: ModelConfig][],
      { isNew = false }: { isNew?: boolean } = {},
    ): Promise<{
      charged: (on: number) => Price;
      announced: AnnouncedModel;
      toldAt: (string | undefined)[];
      warned: number;
    }> {
      const { db, close } = await freshBooks(engine);
      let warned = 0;
      const log = { ...createLog('silent'), warn: () => warned++ } as never;
      try {
        if (!isNew)
          await db.write((tx) =>
            tx.insertInto('account').values({ id: 'a', kind: 'guest', created_at: 1, last_active_at: 1 }).execute(),
          );
        let announced: AnnouncedModel | undefined;
        const toldAt: (string | undefined)[] = [];
        // Two nodes each time: the other one begins when the first has done all but its commit.
        for (const [on, model] of list) {
          const announce = (node: Pick<Database, 'write'>) =>
            announcePrices({ db: node as Database, log, noticeDays: 30 }, [model], NOW + on * DAY);
          let other: Promise<AnnouncedModel[]> | undefined;
          const one = await announce({
            write: (work) =>
              db.write(async (tx) => {
                const done = await work(tx);
                other = announce(db);
                await somebodyWaits(db);
                return done;
              }),
          });
          assert.deepEqual(await other, one);
          announced = one[0]!;
          toldAt.push(priceNotice([announced], NOW + on * DAY)?.at);
        }
        const { price, priceChanges = [] } = announced!;
        return {
          announced: announced!,
          toldAt,
          warned,
          charged: (on) => priceAt(price, priceChanges, NOW + on * DAY).price,
        };
      } finally {
        await close();
      }
    }

    // Guards: announcement, lockPrices, and what is kept of the price in force.
    const CASES: [what: string, list: [number, ModelConfig][], expected: [on: number, price: Price][]][] = [
      [
        'a dearer price, announced in time, on its day',
        [[0, listed(flat(1), [40, flat(2)])]],
        [
          [39, flat(1)],
          [40, flat(2)],
        ],
      ],
      [
        'a dearer price, announced late, after 30 days',
        [[0, listed(flat(1), [10, flat(2)])]],
        [
          [29, flat(1)],
          [30, flat(2)],
        ],
      ],
      [
        'a dearer price dated back, after 30 days',
        [
          [0, listed(flat(1))],
          [5, listed(flat(1), [1, flat(2)])],
        ],
        [
          [34, flat(1)],
          [35, flat(2)],
        ],
      ],
      [
        'a dearer price that just replaced the old one, after 30 days',
        [
          [0, listed(flat(1))],
          [5, listed(flat(2))],
        ],
        [
          [34, flat(1)],
          [35, flat(2)],
        ],
      ],
      [
        'a cheaper one at once',
        [
          [0, listed(flat(2))],
          [5, listed(flat(1))],
        ],
        [[5, flat(1)]],
      ],
      [
        'a cheaper one on its day',
        [[0, listed(flat(2), [3, flat(1)])]],
        [
          [2, flat(2)],
          [3, flat(1)],
        ],
      ],
      [
        'a price moved from the changes to the list, without another wait',
        [
          [0, listed(flat(1), [31, flat(2)])],
          [32, listed(flat(2))],
        ],
        [[32, flat(2)]],
      ],
      [
        'a price moved to the list too soon, on the day that was told',
        [
          [0, listed(flat(1), [60, flat(2)])],
          [31, listed(flat(2))],
        ],
        [
          [59, flat(1)],
          [60, flat(2)],
        ],
      ],
      [
        'a restart in between, without another wait',
        [
          [0, listed(flat(1), [10, flat(2)])],
          [20, listed(flat(1), [10, flat(2)])],
        ],
        [
          [29, flat(1)],
          [30, flat(2)],
        ],
      ],
      [
        'a dearer price that returns after a cheaper one, announced anew',
        [
          [0, listed(flat(1), [30, flat(2)])],
          [40, listed(flat(2))],
          [50, listed(flat(1))],
          [60, listed(flat(2))],
        ],
        [
          [60, flat(1)],
          [89, flat(1)],
          [90, flat(2)],
        ],
      ],
      // Guard: `coming`. The cheaper price counted while a server ran, and no start of one said so.
      [
        'a dearer price that stood in the list all the time, anew, after a cheaper one had come to count',
        [
          [0, listed(flat(5), [10, flat(1)])],
          [20, listed(flat(5))],
        ],
        [
          [20, flat(1)],
          [49, flat(1)],
          [50, flat(5)],
        ],
      ],
      [
        'a dearer tier for long requests, after 30 days',
        [
          [0, listed(tokens(60, 250))],
          [1, listed(tokens(60, 250, [1000, 61]))],
        ],
        [
          [30, tokens(60, 250)],
          [31, tokens(60, 250, [1000, 61])],
        ],
      ],
      [
        'a tier that begins later, at once',
        [
          [0, listed(tokens(60, 250, [1000, 90]))],
          [1, listed(tokens(60, 250, [2000, 90]))],
        ],
        [[1, tokens(60, 250, [2000, 90])]],
      ],
      [
        'prices by tokens instead of by message, after 30 days',
        [
          [0, listed(flat(1))],
          [1, listed(tokens(1, 1))],
        ],
        [
          [30, flat(1)],
          [31, tokens(1, 1)],
        ],
      ],
      [
        'a cheaper price that comes before a dearer one counts: the dearer one never',
        [[0, listed(flat(2), [5, flat(3)], [20, flat(1)])]],
        [
          [4, flat(2)],
          [19, flat(2)],
          [20, flat(1)],
          [60, flat(1)],
        ],
      ],
      [
        'no dearer price sooner because a still dearer one stands before it',
        [
          [0, listed(flat(60))],
          [1, listed(flat(500), [1, flat(400)])],
        ],
        [
          [1, flat(60)],
          [30, flat(60)],
          [31, flat(400)],
        ],
      ],
      [
        'the same of two that are to come',
        [[0, listed(flat(60), [5, flat(100)], [9, flat(90)])]],
        [
          [5, flat(60)],
          [29, flat(60)],
          [30, flat(90)],
          [60, flat(90)],
        ],
      ],
      [
        'what it charged before, whatever the list was before that',
        [
          [0, listed(flat(50))],
          [9, listed(flat(60), [-30, flat(40)], [-20, flat(50)])],
        ],
        [
          [9, flat(50)],
          [60, flat(50)],
        ],
      ],
      [
        'the old price on, where a dearer one is taken back before it counts',
        [[0, listed(flat(60), [5, flat(100)], [9, flat(60)])]],
        [
          [5, flat(60)],
          [60, flat(60)],
        ],
      ],
    ];
    for (const [what, list, expected] of CASES)
      it(`charges ${what}`, async () => {
        const { charged } = await starts(list);
        for (const [on, price] of expected) assert.deepEqual(charged(on), price, `on day ${on}`);
      });

    it('charges as it is written where nobody is there to be told, and warns of nothing', async () => {
      const { charged, warned } = await starts([[0, listed(flat(1), [-5, flat(2)], [3, flat(5)])]], { isNew: true });
      assert.deepEqual([charged(0), charged(3), warned], [flat(2), flat(5), 0]);
    });

    it('warns the operator of a price that counts later than written, with the day', async () => {
      const { warned } = await starts([[0, listed(flat(1), [10, flat(2)])]]);
      assert.equal(warned, 2, 'each node');
    });

    it('is told with both prices and the day, under an id that stays, until it counts', async () => {
      const { announced } = await starts([[0, listed(tokens(60, 250), [40, tokens(70, 250)])]]);
      const notice = priceNotice([announced], NOW)!;
      assert.equal(
        notice.text,
        `Prices change. From ${day(40)} on: double: 70 in, 1 cached, 250 out credits for 1 million tokens, now 60 in, 1 cached, 250 out credits for 1 million tokens. Until then nothing changes.`,
      );
      assert.equal(priceNotice([announced], NOW + 39 * DAY)!.id, notice.id);
      assert.equal(priceNotice([announced], NOW + 40 * DAY), null);
    });

    // Guard: what is kept by `tell`.
    it('is as old as its announcement after every start, news on another day, and when it returns', async () => {
      const dearer = listed(flat(1), [40, flat(2)]);
      const { toldAt } = await starts([
        [0, dearer],
        [3, dearer],
        [5, listed(flat(1), [50, flat(2)])],
        [6, listed(flat(1))],
        [7, listed(flat(1), [50, flat(2)])],
      ]);
      assert.deepEqual(toldAt, [day(0), day(0), day(5), undefined, day(7)]);
    });

    it('is as old as the newest of its changes, cheaper ones included, that is still to come', async () => {
      const both = listed(flat(2), [10, flat(1)], [50, flat(3)]);
      const { announced, toldAt } = await starts([
        [0, listed(flat(2), [50, flat(3)])],
        [4, both],
        [6, both],
      ]);
      assert.deepEqual(toldAt, [day(0), day(4), day(4)]);
      assert.equal(priceNotice([announced], NOW + 10 * DAY)!.at, day(0), 'the cheaper one counts');
    });

    it('is composed once for all, and anew when one of its changes counts, or no longer does', async () => {
      const { announced } = await starts([[0, listed(flat(2), [10, flat(1)], [50, flat(3)])]]);
      let on = 0;
      const told = tellPrices([announced], { now: () => NOW + on * DAY });
      const first = told();
      on = 9.99;
      assert.equal(told(), first, 'the same object');
      on = 10;
      assert.match(told()!.text, /3 credits a message, now 1 credit a message/);
      on = 9;
      assert.deepEqual(told(), first, 'the clock stepped back');
      on = 50;
      assert.equal(told(), null);
    });
  });
