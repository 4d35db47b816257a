import assert from 'node:assert/strict';
import { DEVICE_GRANT, type DeviceAnswer, type TokenAnswer } from '../../../shared/auth.ts';
import { Browser } from '../../support/browser.ts';
import { type Editor, Member } from '../../support/member.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const CREDIT = 1_000_000;

onBothEnginesWithSignIn('a device without a browser', (world) => {
  const begin = async (editor: Editor) =>
    (
      await editor.post<DeviceAnswer>('/api/auth/device', {
        device_name: 'the big machine',
        tool: 'Perigee in a terminal',
      })
    ).body;
  const poll = (editor: Editor, device_code: string, more = {}) =>
    editor.post<TokenAnswer>('/api/auth/token', { grant_type: DEVICE_GRANT, device_code, ...more });
  const told = async (editor: Editor, code: string) => {
    const { status, body } = await poll(editor, code);
    assert.equal(body.error, body.code, 'the code stands where RFC 6749 looks for it');
    return [status, body.code];
  };
  const wait = () => world().server().clock.advance(5_000);
  /** Types the code in another browser and signs in there, as far as the question. */
  async function typed(userCode: string, person = somebody(), browser = new Browser()) {
    const page = await browser.open(`${world().server().url}/device`);
    const chosen = await browser.submit(page, { user_code: userCode });
    world().idp.person = person;
    return { browser, confirm: await browser.click(chosen, 'Continue with Google') };
  }

  it('shows a code, waits, and is signed in once somebody has approved it elsewhere', async () => {
    const editor = world().editor();
    const shown = await begin(editor);
    assert.match(shown.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    assert.equal(shown.verification_uri, `${editor.url}/device`);
    assert.equal(shown.verification_uri_complete, `${editor.url}/device?user_code=${shown.user_code}`);
    assert.deepEqual([shown.expires_in, shown.interval], [900, 5]);
    assert.deepEqual(await told(editor, shown.device_code), [400, 'authorization_pending']);
    const person = somebody();
    const { browser, confirm } = await typed(shown.user_code.toLowerCase().replace('-', ' '), person);
    assert.match(confirm.html, /Perigee in a terminal on <strong>the big machine<\/strong>/);
    assert.match(confirm.html, new RegExp(`>${shown.user_code}<`));
    wait();
    assert.deepEqual(await told(editor, shown.device_code), [400, 'authorization_pending']);
    assert.match((await browser.submit(confirm, { decision: 'continue', terms: '1' })).html, /Approved/);
    wait();
    const { status, body } = await poll(editor, shown.device_code);
    assert.equal(status, 200);
    const member = Member.from(editor.url, editor.key, body);
    const { account } = (await member.account()).body;
    assert.equal(account.email, person.email);
  });

  it('brings the guest along that used it before', async () => {
    const guest = await world().server().guest();
    await guest.run(guest.chat('before'));
    const editor = world().editor();
    const shown = await begin(editor);
    const { browser, confirm } = await typed(shown.user_code);
    await browser.submit(confirm, { decision: 'continue', terms: '1' });
    const { body } = await poll(editor, shown.device_code, { guest_token: guest.token });
    assert.deepEqual(body.merged, { conversations: 1, allowanceMicro: 9 * CREDIT });
  });

  it('is told to slow down, 5 seconds more each time', async () => {
    const editor = world().editor();
    const { device_code } = await begin(editor);
    assert.deepEqual(await told(editor, device_code), [400, 'authorization_pending']);
    assert.deepEqual(await told(editor, device_code), [400, 'slow_down']);
    wait();
    assert.deepEqual(await told(editor, device_code), [400, 'slow_down']);
    world().server().clock.advance(15_000);
    assert.deepEqual(await told(editor, device_code), [400, 'authorization_pending']);
  });

  it('is told that it was declined, once', async () => {
    const editor = world().editor();
    const shown = await begin(editor);
    const { browser, confirm } = await typed(shown.user_code);
    await browser.submit(confirm, { decision: 'cancel' });
    assert.deepEqual(await told(editor, shown.device_code), [400, 'access_denied']);
    assert.deepEqual(await told(editor, shown.device_code), [400, 'invalid_grant']);
  });

  it('is told that nobody came, and can’t be approved after that', async () => {
    const editor = world().editor();
    const shown = await begin(editor);
    const { browser, confirm } = await typed(shown.user_code);
    world()
      .server()
      .clock.advance(15 * 60_000);
    const late = await browser.submit(confirm, { decision: 'continue', terms: '1' });
    assert.equal(late.status, 400);
    assert.deepEqual(await told(editor, shown.device_code), [400, 'expired_token']);
  });

  it('gets one token for an approval, of any number of requests at once', async () => {
    const editor = world().editor();
    const shown = await begin(editor);
    const { browser, confirm } = await typed(shown.user_code);
    await browser.submit(confirm, { decision: 'continue', terms: '1' });
    const answers = await Promise.all(Array.from({ length: 8 }, () => poll(editor, shown.device_code)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.deepEqual(await told(editor, shown.device_code), [400, 'invalid_grant']);
  });

  it('is the only one that can redeem its code: to another key there is no such device', async () => {
    const shown = await begin(world().editor());
    const { browser, confirm } = await typed(shown.user_code);
    await browser.submit(confirm, { decision: 'continue', terms: '1' });
    assert.deepEqual(await told(world().editor(), shown.device_code), [400, 'invalid_grant']);
  });

  it('is approved by one person alone, also by two clicks at once', async () => {
    const editor = world().editor();
    const shown = await begin(editor);
    const one = await typed(shown.user_code);
    const other = await typed(shown.user_code);
    const pages = await Promise.all(
      [one, other].map(({ browser, confirm }) => browser.submit(confirm, { decision: 'continue', terms: '1' })),
    );
    assert.equal(pages.filter(({ html }) => html.includes('Approved')).length, 1);
  });

  it('keeps neither of its codes in the database', async () => {
    const shown = await begin(world().editor());
    const rows = JSON.stringify(await world().server().db.read.selectFrom('device_grant').selectAll().execute());
    assert.ok(!rows.includes(shown.device_code) && !rows.includes(shown.user_code));
  });

  it('needs a proof of its key', async () => {
    const { status, body } = await world()
      .editor()
      .post('/api/auth/device', { device_name: 'x', tool: 'y' }, { method: 'GET' });
    assert.deepEqual([status, body.code], [401, 'invalid_dpop_proof']);
  });
});
