import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { noteReferrals } from '../../../server/accounts/referrals/referralNotes.ts';
import { openWallet } from '../../../server/credits/holds/store.ts';
import type { Database } from '../../../server/platform/db/database.ts';
import type { ReferralTable } from '../../../server/platform/db/schema.ts';
import { createLog } from '../../../server/platform/log.ts';
import { endFlag, findFlag, pause, resume } from '../../../server/risk/flags/store.ts';
import { DossierSchema } from '../../../shared/risk.ts';
import { ENGINES } from '../../support/engines.ts';
import { freshBooks } from '../../support/server.ts';

const DAY = 24 * 3_600_000;
const T = 1_800_000_000_000;
type Refused = ReferralTable['refused'];

for (const engine of ENGINES)
  describe(`sign-ups by one link (${engine})`, () => {
    let books: { db: Database; close(): Promise<void> };
    before(async function () {
      this.timeout(60_000);
      books = await freshBooks(engine);
    });
    after(() => books.close());
    const note = (at = T, isFlagging = true) =>
      noteReferrals({ db: books.db, log: createLog('silent'), isFlagging }, at);
    const account = async () => {
      const id = randomUUID();
      await books.db.write(async (tx) => {
        await tx
          .insertInto('account')
          .values({ id, kind: 'member', created_at: T, last_active_at: T, tier: 0 })
          .execute();
        await openWallet(tx, id, randomUUID());
      });
      return id;
    };
    /** An account by whose link these joined, each an hour before `at`. */
    const referrer = async (refused: Refused[], at = T) => {
      const id = await account();
      for (const one of refused) {
        const row = { id: randomUUID(), referrer_id: id, referred_id: await account(), joined_at: at - 3_600_000 };
        await books.db.write((tx) =>
          tx
            .insertInto('referral')
            .values({ ...row, network: null, refused: one })
            .execute(),
        );
      }
      return id;
    };

    for (const [title, refused, isNoted] of [
      ['three of one person', ['same_person', 'own_browser', 'same_device'], true],
      ['two of one person', ['same_person', 'same_person'], false],
      ['many from one network', ['same_network', 'same_network', 'same_network', 'same_network'], false],
      ['many who are people of their own', [null, null, null, null], false],
    ] as [string, Refused[], boolean][])
      it(`${isNoted ? 'make a case' : 'make none'} of ${title}`, async () => {
        const id = await referrer(refused);
        const numbers = await note();
        const flags = await Promise.all(numbers.map((number) => findFlag(books.db.read, number)));
        assert.deepEqual(
          flags.map((flag) => [flag?.accountId, flag?.kind]),
          isNoted ? [[id, 'referrals']] : [],
        );
        assert.deepEqual(await note(), [], 'once');
      });

    it('tell how many for each reason, and how many speak against it, without a name', async () => {
      await referrer(['same_person', 'same_person', 'own_browser', null, null]);
      const { dossier } = (await findFlag(books.db.read, (await note())[0]!))!;
      DossierSchema.parse(dossier);
      assert.deepEqual(
        dossier.lines.map(({ speaks, sentence }) => [speaks, sentence]),
        [
          ['for', '2 of 5 who joined by the link in 30 days had an account here before.'],
          [
            'for',
            '1 of 5 who joined by the link in 30 days joined in a browser where the owner of the link was signed in.',
          ],
          ['against', '2 of 5 who joined by the link in 30 days look like people of their own.'],
        ],
      );
      assert.equal(dossier.probability, 0);
    });

    it('make no case while flagging is off or paused, of what is older than 30 days, or soon after a decision', async () => {
      await referrer(['same_person', 'same_person', 'same_person']);
      assert.deepEqual(await note(T, false), []);
      await books.db.write((tx) => pause(tx, 'a test', T));
      assert.deepEqual(await note(), []);
      await books.db.write((tx) => resume(tx));
      assert.deepEqual(await note(T + 30 * DAY), []);
      const [number] = await note();
      await books.db.write((tx) => endFlag(tx, number!, T));
      assert.deepEqual(await note(T + 29 * DAY), []);
    });
  });
