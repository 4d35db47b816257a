import assert from 'node:assert/strict';
import { createLog } from '../../../server/platform/log.ts';
import { judgeDue } from '../../../server/risk/flags/judging.ts';
import { findFlag, openFlags } from '../../../server/risk/flags/store.ts';
import type { Observation } from '../../../server/risk/signals/observation.ts';
import { SketchStore } from '../../../server/risk/store.ts';
import { DossierSchema, type UseAnswer } from '../../../shared/risk.ts';
import { runAdmin } from '../../support/admin.ts';
import type { Client } from '../../support/client.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';
import { DAY, HOUR } from '../observations.ts';
import { person, RELAY, tenPeople } from '../people.ts';

const WORK = [9, 10, 11, 13, 14, 15, 16, 17];

onBothEnginesWithSignIn('flags', (world) => {
  const server = () => world().server();
  const db = () => server().db;
  const now = () => server().clock.now();
  const judge = (more: { isFlagging?: boolean } = {}) =>
    judgeDue({ db: db(), log: createLog('silent'), isFlagging: true, ...more }, now());
  const admin = (...args: string[]) => runAdmin(server(), ...args);
  const flagsOf = async (who: Client) =>
    (await openFlags(db().read, 1000)).filter(({ accountId }) => accountId === who.accountId);

  let flushes = 0;
  /** A member who was seen to use the account so, up to now. */
  async function used(observations: readonly Observation[]): Promise<Client> {
    const { member } = await world().signIn(somebody());
    await use(member, observations);
    return member;
  }
  async function use(member: Client, observations: readonly Observation[]): Promise<void> {
    const { period } = await db().read.selectFrom('risk_key').select('period').executeTakeFirstOrThrow();
    const late = now() - observations.at(-1)!.at;
    const moved = observations.map((one) => ({ ...one, at: one.at + late }));
    const flush = { accountId: member.accountId, period: Number(period), observations: moved };
    await new SketchStore(db()).add([{ ...flush, node: 'test', number: flushes++ }], now());
  }
  /** Judged for the first time after 6 hours. */
  async function judged(more = {}): Promise<void> {
    await judge(more);
    server().clock.advance(7 * HOUR);
    await judge(more);
  }

  it('are opened for an account that ten people use through a relay, once, with a dossier that stays', async () => {
    const member = await used(tenPeople(6, RELAY));
    await judge();
    assert.deepEqual(await flagsOf(member), [], 'not before 6 hours');
    server().clock.advance(7 * HOUR);
    assert.deepEqual(await judge(), { judged: 1, flagged: 1 });
    const [flag] = await flagsOf(member);
    assert.equal(flag!.kind, 'sharing');
    DossierSchema.parse(flag!.dossier);
    await use(member, tenPeople(1, RELAY));
    server().clock.advance(2 * DAY);
    assert.equal((await judge()).flagged, 0);
    assert.deepEqual(await flagsOf(member), [flag]);
    const { account } = (await member.account()).body;
    assert.equal(account.suspended, undefined, 'nothing follows from it');
  });

  it('are judged by one of two nodes that are due at once', async () => {
    const member = await used(tenPeople(6, RELAY));
    await judge();
    server().clock.advance(7 * HOUR);
    const both = await Promise.all([judge(), judge()]);
    assert.equal(both[0]!.judged + both[1]!.judged, 1);
    assert.equal((await flagsOf(member)).length, 1);
  });

  for (const [who, observations] of [
    ['one person with every mark of a relay', person(1, 7, WORK, RELAY)],
    ['ten people whose way here shows nothing, in the first week', tenPeople(6)],
  ] as const)
    it(`are not opened for ${who}`, async () => {
      const member = await used(observations);
      await judged();
      assert.deepEqual(await flagsOf(member), []);
    });

  it('say "not enough to act on" once several people were seen for a week without corroboration', async () => {
    const member = await used(tenPeople(6));
    await judged();
    for (let day = 0; day < 7; day++) {
      assert.deepEqual(await flagsOf(member), [], `day ${day}`);
      await use(member, tenPeople(1));
      server().clock.advance(DAY);
      await judge();
    }
    assert.deepEqual(
      (await flagsOf(member)).map(({ kind }) => kind),
      ['not_enough'],
    );
  });

  it('are not opened for a team, which the operator marks, and for nobody while they are off', async () => {
    const [team, other] = [await used(tenPeople(6, RELAY)), await used(tenPeople(6, RELAY))];
    assert.deepEqual((await admin('team', team.accountId)).code, 0);
    const off = await admin('flags', 'off', '--why', 'Under review.');
    assert.deepEqual(off, {
      code: 0,
      lines: ['No account is flagged from now on, on any node. Flags that are open stay open.'],
    });
    await judged();
    assert.match((await admin('flags')).lines.join('\n'), /no account is flagged: Under review\./);
    assert.deepEqual([await flagsOf(team), await flagsOf(other)], [[], []]);
    assert.equal((await admin('flags', 'on')).code, 0);
    server().clock.advance(2 * DAY);
    await judge({ isFlagging: false });
    assert.deepEqual([await flagsOf(team), await flagsOf(other)], [[], []], 'off in the configuration');
    server().clock.advance(2 * DAY);
    await use(other, tenPeople(6, RELAY));
    await judge();
    assert.deepEqual([(await flagsOf(team)).length, (await flagsOf(other)).length], [0, 1]);
    assert.equal((await team.request<UseAnswer>('GET', '/api/account/use')).body.isTeam, true);
  });

  it('are none from the moment on at which they are off, and a team mark stays when its owner declares something', async () => {
    const members = [await used(tenPeople(6, RELAY)), await used(tenPeople(6, RELAY))];
    await judge();
    server().clock.advance(7 * HOUR);
    await admin('flags', 'off', '--why', 'At once.');
    await judge();
    for (const member of members) assert.deepEqual(await flagsOf(member), []);
    await admin('flags', 'on');
    await admin('team', members[0]!.accountId);
    const declared = { ownGateway: true, severalMachines: true, automationKeys: [] };
    const { body } = await members[0]!.request<UseAnswer>('PUT', '/api/account/use', declared);
    assert.deepEqual(body, { ...declared, isTeam: true });
  });

  it('are none for an account that is closed', async () => {
    const member = await used(tenPeople(6, RELAY));
    await judge();
    await member.request('POST', '/api/account/closing');
    server().clock.advance(7 * HOUR);
    await judge();
    assert.deepEqual(await flagsOf(member), []);
  });

  it('are shown to the operator as a list and as a dossier with both sides', async () => {
    const member = await used(tenPeople(6, RELAY));
    await judged();
    const { number } = (await flagsOf(member))[0]!;
    const list = (await admin('flags')).lines;
    assert.match(list[0]!, /^number +since +what +probability +account$/);
    assert.ok(
      list.some((line) => new RegExp(`^${number} .* sharing +\\d+(\\.\\d)? % +${member.accountId}$`).test(line)),
    );
    const { code, lines } = await admin('dossier', String(number));
    const text = lines.join('\n');
    assert.equal(code, 0);
    for (const part of [
      /^flag +\d+$/m,
      /Evidence that several people use the account/,
      /7\. one connection, several clients: \+4 nats, \d{4}-/,
      /Looked at, and says nothing either way/,
      /No family of signals is enough by itself\. \(rules \d+, thresholds \d+\)/,
      /This is a reason to look, not a decision/,
    ])
      assert.match(text, part);
    for (const [wrong, said] of [
      ['0', 'There is no flag "0". The command "flags" lists them.'],
      ['1e99', 'There is no flag "1e99". The command "flags" lists them.'],
      ['; drop', 'There is no flag "; drop". The command "flags" lists them.'],
    ] as const)
      assert.deepEqual(await admin('dossier', wrong), { code: 1, lines: [said] });
    for (const wrong of [['flags', 'maybe'], ['flags', 'off'], ['flags', 'on', 'off'], ['dossier'], ['team']])
      assert.equal((await admin(...wrong)).code, 2, wrong.join(' '));
  });

  it('stay without a name when their account is deleted', async () => {
    const member = await used(tenPeople(6, RELAY));
    await judged();
    const { number } = (await flagsOf(member))[0]!;
    await member.request('POST', '/api/account/closing');
    server().clock.advance(8 * DAY);
    assert.equal((await admin('retention')).code, 0);
    const flag = await findFlag(db().read, number);
    assert.equal(flag!.accountId, null);
    assert.ok(!JSON.stringify(flag).includes(member.accountId));
    assert.match((await admin('dossier', String(number))).lines.join('\n'), /deleted; this is kept 6 months/);
    await judge();
    const standing = db().read.selectFrom('risk_standing').selectAll().where('account_id', '=', member.accountId);
    assert.deepEqual(await standing.execute(), []);
  });

  it('are none for a client that contradicts itself: its user is advised, live, until it ends', async () => {
    const forged = person(1, 5, WORK, { client: { isImpossible: true }, transport: { isForeignMark: true } });
    const member = await used(forged);
    await judge();
    const heard = await member.changes();
    server().clock.advance(7 * HOUR);
    await judge();
    await heard.next((topic) => topic === 'account');
    heard.close();
    const notices = async () => (await member.account()).body.notices.filter(({ kind }) => kind === 'client');
    const [notice] = await notices();
    assert.equal(notice!.id, 'client:claude-code:impossible+foreign');
    assert.match(notice!.text, /This can make requests fail\./);
    assert.deepEqual(await flagsOf(member), []);
    server().clock.advance(60 * DAY);
    await judge();
    const standing = db().read.selectFrom('risk_standing').selectAll().where('account_id', '=', member.accountId);
    assert.deepEqual(await standing.execute(), [], 'the sketch has gone with its period, and the advice with it');
  });

  it('weigh what a member declares, which nobody else and no guest may', async () => {
    const { member } = await world().signIn(somebody());
    const nothing = { ownGateway: false, severalMachines: false, automationKeys: [] };
    assert.deepEqual((await member.request('GET', '/api/account/use')).body, { ...nothing, isTeam: false });
    const declared = { ...nothing, ownGateway: true, automationKeys: ['0193d5d8-1111-7000-8000-000000000001'] };
    assert.deepEqual((await member.request('PUT', '/api/account/use', declared)).body, { ...declared, isTeam: false });
    const refused = await member.request('PUT', '/api/account/use', { ...nothing, isTeam: true } as never);
    assert.equal(refused.status, 400);
    const guest = await server().guest();
    const asked = await guest.request('GET', '/api/account/use');
    assert.deepEqual([asked.status, (asked.body as { code: string }).code], [403, 'members_only']);
  });
});
