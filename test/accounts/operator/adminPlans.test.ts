import assert from 'node:assert/strict';
import type { PlanAnswer } from '../../../shared/credits.ts';
import { runAdmin } from '../../support/admin.ts';
import type { Client } from '../../support/client.ts';
import { onBothEnginesWithShop } from '../../support/shop.ts';

const DAY = 24 * 3_600_000;
const WHY = ['--why', 'You help to test.'] as const;

onBothEnginesWithShop('an operator who gives plans', (shop) => {
  const admin = async (...args: string[]) => {
    const { code, lines } = await runAdmin(shop().server, ...args);
    return { code, said: lines.join('\n').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'then') };
  };
  const current = async (member: Client) => (await shop().offers(member)).current;
  const windows = async (member: Client) => (await member.account()).body.balance.windows.map((w) => w.name);
  const told = async (member: Client) =>
    (await member.log('?kind=plan')).body.entries.map(({ reason }) => reason.replace(/\d{4}-\d\d-\d\d/, 'then'));
  const day = (n: number) => new Date(shop().server.clock.now() + n * DAY).toISOString();

  it('gives one that counts at once, costs nothing, and is told with the reason; the editor hears of it', async () => {
    const member = await shop().member();
    const stream = await member.changes();
    const { said } = await admin('plan', member.accountId, 'plus', '--until', '30d', ...WHY);
    assert.match(said, / has Plus until then\.$/);
    await stream.next((topic, id) => topic === 'balance' && id === member.accountId);
    stream.close();
    assert.deepEqual(await windows(member), ['5 hours', '7 days']);
    const plan = (await current(member))!;
    assert.deepEqual([plan.name, plan.cents, plan.renews], ['Plus', null, false]);
    assert(Math.abs(Date.parse(plan.until) - Date.parse(day(30))) < 60_000, plan.until);
    assert.deepEqual(await told(member), ['The plan Plus was given to you until then: You help to test.']);
    shop().server.double.usually({ text: 'yes' });
    const request = member.chat('of the plan');
    assert.equal((await member.start(request)).status, 202);
    await member.events(request.id);
    assert((await member.account()).body.balance.windows[0]!.usedMicro > 0, 'the answer is of the plan');
  });

  it('tells the reason as one line of plain text, whatever was typed, and takes none that is too long', async () => {
    const member = await shop().member();
    const typed = ['--why', ' You\nhelp\u202e\u001b to test.\u0000 '];
    const plan = [member.accountId, 'plus', '--until', '30d'];
    for (const [args, said] of [
      [[...plan, '--why', 'x'.repeat(201)], /--why has 201 characters, and may have 200 at most/],
      [[...plan, '--why', '\u200b'], /plan needs --why/],
      [[member.accountId, '--end', '--why', 'x'.repeat(201)], /--why has 201 characters/],
    ] as const) {
      const refused = await admin('plan', ...args);
      assert.equal(refused.code, 2);
      assert.match(refused.said, said);
    }
    await admin('plan', ...plan, ...typed);
    await admin('plan', member.accountId, '--end', ...typed);
    const reasons = await told(member);
    assert.equal(reasons.length, 2);
    for (const reason of reasons) assert.match(reason, /: You help to test\.\uFFFD$/);
  });

  // Guard: it is given as one that is cancelled, so without the day of grace that a late payment has.
  it('has it end on its day, without a word of anybody', async () => {
    const member = await shop().member();
    await admin('plan', member.accountId, 'plus', '--until', '2d', ...WHY);
    shop().server.clock.advance(2 * DAY + 1);
    assert.deepEqual([await windows(member), await current(member)], [[], null]);
    assert.match((await admin('plan', member.accountId, '--end', ...WHY)).said, /has no plan\.$/);
    assert.equal((await admin('plan', member.accountId, 'plus', '--until', '2d', ...WHY)).code, 0);
    assert.equal((await windows(member)).length, 2);
  });

  it('gives it another end, and repeats itself to no effect', async () => {
    const member = await shop().member();
    const give = (until: string) => admin('plan', member.accountId, 'plus', '--until', until, ...WHY);
    const until = day(3);
    assert.deepEqual([(await give(until)).code, (await give(until)).code], [0, 0]);
    assert.match((await give(until)).said, /until then already: nothing was changed\.$/);
    assert.equal((await told(member)).length, 1);
    await give(day(9));
    assert.equal((await current(member))!.until.slice(0, 10), day(9).slice(0, 10));
    assert.equal((await told(member)).length, 2);
  });

  it('ends it, with the reason', async () => {
    const member = await shop().member();
    await admin('plan', member.accountId, 'plus', '--until', '30d', ...WHY);
    assert.match((await admin('plan', member.accountId, '--end', ...WHY)).said, /has no plan any more\.$/);
    assert.deepEqual([await windows(member), await current(member)], [[], null]);
    assert.equal((await told(member))[0], 'The plan that was given to you was ended: You help to test.');
  });

  // Guard: startPlan ends what was given when something is paid for.
  it('makes way for one that is paid for, which nobody but its owner ends', async () => {
    const member = await shop().member();
    await admin('plan', member.accountId, 'plus', '--until', '30d', ...WHY);
    const refused = await member.request<PlanAnswer>('POST', '/api/credits/plan/cancel');
    assert.deepEqual([refused.status, refused.body], [409, { ...refused.body, code: 'no_plan' }]);
    await shop().buy(member, { plan: 'plus', interval: 'month' });
    assert.deepEqual([(await current(member))!.cents, (await windows(member)).length], [1200, 2]);
    for (const args of [['plus', '--until', '30d'], ['--end']]) {
      const { code, said } = await admin('plan', member.accountId, ...args, ...WHY);
      assert.equal(code, 1);
      assert.match(said, / pays for a plan, plus, until then: nothing was changed\. /);
    }
    assert.equal((await current(member))!.cents, 1200);
  });

  const REFUSALS: [args: string[], code: number, why: RegExp][] = [
    [['plus', '--until', '30d'], 2, /needs --why/],
    [['plus', ...WHY], 2, /needs --until/],
    [['--until', '30d', ...WHY], 2, /needs an account and a plan/],
    [['plus', '--until', '2020-01-01', ...WHY], 2, /is over already/],
    [['plus', '--until', '30d', '--end', ...WHY], 2, /takes no --until/],
    [['minus', '--until', '30d', ...WHY], 1, /^There is no plan "minus"\. These are: plus\.$/],
  ];
  for (const [args, code, why] of REFUSALS)
    it(`refuses in a line that says what to do: ${args.join(' ')}`, async () => {
      const member = await shop().member();
      const answer = await admin('plan', member.accountId, ...args);
      assert.equal(answer.code, code);
      assert.match(answer.said, why);
      assert.equal(await current(member), null);
    });

  it('gives none to a guest', async () => {
    const guest = await shop().server.guest();
    assert.match((await admin('plan', guest.accountId, 'plus', '--until', '30d', ...WHY)).said, /^A guest has no plan/);
  });
});
