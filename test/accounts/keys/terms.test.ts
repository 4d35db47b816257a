import assert from 'node:assert/strict';
import type { NewKeyAnswer } from '../../../shared/keys.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const DAY = 24 * 3_600_000;
const FROM = Date.now() + 30 * DAY;

onBothEnginesWithSignIn(
  'the tools of a member who has not accepted new terms yet',
  (world) => {
    it('go on until the end of the notice, and are told then where to accept them', async () => {
      const { db, url, clock } = world().server();
      const { member } = await world().signIn(somebody(), { editor: world().editor() });
      const { secret } = (await member.request<NewKeyAnswer>('POST', '/api/keys', { name: 'a tool' })).body;
      await db.write((tx) =>
        tx.updateTable('account').set({ terms_version: '0' }).where('id', '=', member.accountId).execute(),
      );
      const call = async () => {
        const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${secret}` } });
        const body = (await response.json()) as { error?: { code: string; message: string } };
        return [response.status, body.error?.code, body.error?.message];
      };
      assert.deepEqual(
        (await member.start(member.chat('hello'))).body.code,
        'terms_changed',
        'the editor asks at once',
      );
      assert.equal((await member.request('GET', '/v1/models')).status, 200);
      assert.deepEqual(await call(), [200, undefined, undefined]);
      clock.advance(FROM - clock.now());
      const [status, code, message] = await call();
      assert.deepEqual([status, code], [403, 'terms_changed']);
      assert.ok(String(message).includes(`${url}/account`), String(message));
    });
  },
  {
    config: (settings) => {
      settings.policy.accounts.terms.toolsFrom = new Date(FROM).toISOString();
    },
  },
);
