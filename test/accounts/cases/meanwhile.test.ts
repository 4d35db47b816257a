import assert from 'node:assert/strict';
import { keepClosedAccounts } from '../../../server/accounts/cases/keeping.ts';
import type { OwnDecisions } from '../../../shared/decisions.ts';
import type { Problem } from '../../../shared/problems.ts';
import { runAdmin } from '../../support/admin.ts';
import { type AtDesk, atDesk, openCase } from '../../support/desk.ts';
import type { Member } from '../../support/member.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const DAY = 24 * 3_600_000;
const WHY = 'Four people wrote at once';
const APPEAL = { time: 'in May', useCase: 'I work alone.', pictures: [], numbersMayBeUsed: false };

onBothEnginesWithSignIn('what happens while a case is decided', (world) => {
  const server = () => world().server();
  const now = () => server().clock.now();
  let ada: AtDesk;
  let bob: AtDesk;
  before(async () => {
    [ada, bob] = [await atDesk(world()), await atDesk(world())];
  });
  const somebodyNew = async () => (await world().signIn(somebody())).member;
  const decide = (at: AtDesk, number: number, decision: object) =>
    at.page.request<Problem>('POST', `/api/desk/cases/${number}/decisions`, { step: 0, why: WHY, ...decision });
  const decided = async (at: AtDesk, number: number, decision: object) => {
    const { status, body } = await decide(at, number, decision);
    assert.equal(status, 200, JSON.stringify(body));
  };
  const hear = (at: AtDesk, number: number, outcome: string) =>
    at.page.request('POST', `/api/desk/cases/${number}/appeal`, { outcome, why: 'Looked at again' });
  const listOf = async (owner: Member) =>
    (await owner.request<OwnDecisions>('GET', '/api/account/decisions')).body.decisions;
  const about = async (owner: Member, number: number) => (await listOf(owner)).find((one) => one.case === number)!;
  const appeal = async (owner: Member, number: number) => {
    const { id } = await about(owner, number);
    const { status, body } = await owner.request('POST', `/api/account/decisions/${id}/appeal`, APPEAL);
    assert.equal(status, 200, JSON.stringify(body));
  };
  /** The deletion that a decision has set, in days from now; null: none. */
  const deletedIn = async (owner: Member, number: number) => {
    const { deletedAt } = await about(owner, number);
    return deletedAt === null ? null : Math.round((Date.parse(deletedAt) - now()) / DAY);
  };
  const setDeletion = (number: number, at: number) =>
    server().db.write((tx) =>
      tx.updateTable('decision').set({ delete_at: at }).where('flag_number', '=', number).execute(),
    );
  const isThere = async ({ accountId }: Member) =>
    (await server().db.read.selectFrom('account').select('id').where('id', '=', accountId).execute()).length === 1;
  const retention = () => runAdmin(server(), 'retention');

  it('an answer is read before anything is decided, also one that comes while the page is open', async () => {
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId);
    await decided(ada, number, { kind: 'ask', why: 'What are these machines?' });
    await ada.page.request('GET', `/api/desk/cases/${number}`);
    server().clock.advance(1_000);
    const { id } = await about(owner, number);
    await owner.request('POST', `/api/account/decisions/${id}/answer`, { text: 'Three CI machines of mine.' });
    const late = await decide(ada, number, { step: 1, kind: 'warn' });
    assert.deepEqual([late.status, late.body.code], [409, 'already_decided']);
    assert.match(late.body.detail, /^The owner has answered the question on .*read the answer first/);
    await ada.page.request('GET', `/api/desk/cases/${number}`);
    await decided(ada, number, { step: 1, kind: 'nothing' });
  });

  it('a closed account whose appeal in another case was decided is not deleted before a week', async () => {
    const owner = await somebodyNew();
    const [warned, closed] = [
      await openCase(server(), owner.accountId, { kind: 'referrals' }),
      await openCase(server(), owner.accountId),
    ];
    await decided(ada, warned, { kind: 'warn' });
    await decided(ada, closed, { kind: 'close' });
    await appeal(owner, warned);
    await setDeletion(closed, now() - 2 * DAY);
    await retention();
    assert.ok(await isThere(owner), 'an appeal is open');
    assert.equal((await hear(bob, warned, 'upheld')).status, 204);
    await retention();
    assert.ok(await isThere(owner));
    assert.equal(await deletedIn(owner, closed), 7);
  });

  it('a restored database deletes nobody for a decision that may have been reversed since, and takes appeals', async () => {
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId);
    await decided(ada, number, { kind: 'close' });
    await server().db.write((tx) =>
      tx
        .updateTable('decision')
        .set({ at: now() - 40 * DAY, delete_at: now() - 10 * DAY })
        .where('flag_number', '=', number)
        .execute(),
    );
    await server().db.write((tx) => keepClosedAccounts(tx, now()));
    await retention();
    assert.ok(await isThere(owner));
    assert.equal(await deletedIn(owner, number), 30);
    await appeal(owner, number);
  });

  it('an account that is not suspended is deleted by no decision', async () => {
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId);
    await decided(ada, number, { kind: 'close' });
    await setDeletion(number, now() - 2 * DAY);
    await server().db.write((tx) =>
      tx.updateTable('account').set({ suspended_at: null }).where('id', '=', owner.accountId).execute(),
    );
    await retention();
    assert.ok(await isThere(owner));
  });

  it('a closing and the operator’s reinstating at once leave no deletion for an account in use', async () => {
    for (let i = 0; i < 5; i++) {
      const owner = await somebodyNew();
      const number = await openCase(server(), owner.accountId);
      await runAdmin(server(), 'suspend', owner.accountId, '--why', 'first');
      await Promise.all([decided(ada, number, { kind: 'close' }), runAdmin(server(), 'reinstate', owner.accountId)]);
      const { suspended } = (await owner.account()).body.account;
      const isDeleted = (await deletedIn(owner, number)) !== null;
      assert.equal(isDeleted, suspended !== undefined, `round ${i}`);
    }
  });

  it('an appeal is heard by the operator where the only other reviewer has never opened the desk', async () => {
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId);
    await decided(ada, number, { kind: 'suspend', until: new Date(now() + DAY).toISOString() });
    await runAdmin(server(), 'reviewer', bob.email, '--end');
    const { member: idle } = await world().signIn(somebody());
    const idleEmail = (await idle.account()).body.account.email!;
    await runAdmin(server(), 'reviewer', idleEmail);
    await appeal(owner, number);
    assert.equal((await about(owner, number)).appeal!.heardBy, 'operator');
    const { code, lines } = await runAdmin(server(), 'appeal', String(number), '--reverse', '--why', 'Sorry.');
    assert.equal(code, 0, lines.join('\n'));
    await runAdmin(server(), 'reviewer', idleEmail, '--end');
  });

  it('an appeal that no reviewer has heard for two weeks can be heard by the operator', async () => {
    const carl = await atDesk(world());
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId);
    await decided(ada, number, { kind: 'warn' });
    await appeal(owner, number);
    const early = await runAdmin(server(), 'appeal', String(number), '--uphold', '--why', 'It stands.');
    assert.equal(early.code, 1);
    assert.match(early.lines.join('\n'), /Another reviewer hears this appeal: it waits at the desk\. If nobody has by/);
    await server().db.write((tx) =>
      tx
        .updateTable('appeal')
        .set({ at: now() - 15 * DAY })
        .where('account_id', '=', owner.accountId)
        .execute(),
    );
    const late = await runAdmin(server(), 'appeal', String(number), '--uphold', '--why', 'It stands.');
    assert.equal(late.code, 0, late.lines.join('\n'));
    await runAdmin(server(), 'reviewer', carl.email, '--end');
  });

  it('what is not enough to act on takes nothing away, whatever its owner has answered', async () => {
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId, { kind: 'not_enough' });
    const { status, body } = await decide(ada, number, { kind: 'close' });
    assert.deepEqual([status, body.code], [409, 'not_to_decide']);
    assert.match(body.detail, /nothing, ask, warn/);
  });
});
