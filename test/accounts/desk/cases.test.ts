import assert from 'node:assert/strict';
import { eraseAccount } from '../../../server/accounts/data/erase.ts';
import { medianHours } from '../../../server/accounts/desk/numbers.ts';
import { RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import {
  type Case,
  CaseSchema,
  type Cases,
  CasesSchema,
  type DeskState,
  type FairUse,
  type Numbers,
  type Trail,
} from '../../../shared/desk.ts';
import { runAdmin } from '../../support/admin.ts';
import { type AtDesk, atDesk, openCase, openDesk, sign, writeAppeal, writeDecision } from '../../support/desk.ts';
import type { Member } from '../../support/member.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('the middle of some times', () => {
  for (const [hours, middle] of [
    [[], null],
    [[3], 3],
    [[9, 1, 2], 2],
    [[1, 2, 4, 100], 3],
    [[0.333, 0.333], 0.3],
  ] as [number[], number | null][])
    it(`of ${JSON.stringify(hours)} is ${middle}`, () =>
      assert.equal(medianHours(hours.map((one) => one * HOUR)), middle));
});

onBothEnginesWithSignIn(
  'the cases at the desk',
  (world) => {
    const server = () => world().server();
    const now = () => server().clock.now();
    let ada: AtDesk;
    let ben: AtDesk;
    before(async () => {
      ada = await atDesk(world());
      ben = await atDesk(world());
    });
    const list = async ({ page }: AtDesk, query: string) => {
      const { status, body } = await page.request<Cases>('GET', `/api/desk/cases?${query}`);
      assert.equal(status, 200, JSON.stringify(body));
      return CasesSchema.parse(body);
    };
    const numbersIn = async (who: AtDesk, query: string) => (await list(who, query)).cases.map(({ number }) => number);
    const open = ({ page }: AtDesk, number: number | string) => page.request<Case>('GET', `/api/desk/cases/${number}`);
    const counts = async ({ page }: AtDesk) => (await page.request<DeskState>('GET', '/api/desk')).body.counts;
    const member = async (): Promise<Member> => (await world().signIn(somebody({ name: 'Eve Owner' }))).member;
    /** An account that nobody signs in to here: faster. */
    async function owned(): Promise<{ accountId: string }> {
      const { lines } = await runAdmin(server(), 'create', somebody().email!, '--name', 'Eve Owner');
      return { accountId: /^Made (\S+) for/.exec(lines[0]!)![1]! };
    }
    const erase = async (accountId: string) =>
      assert.ok(
        await eraseAccount(server().db, RUNS_OF_ACCOUNTS, accountId, { now: now(), stillDue: async () => true }),
      );
    const by = (who: AtDesk) => who.member.accountId;
    /** Opens cases until one has a number that gets a second look, or none. */
    async function openCaseWhere(isSecond: boolean, accountId: string): Promise<number> {
      for (;;) {
        const number = await openCase(server(), accountId);
        if ((number % 5 === 0) === isSecond) return number;
        await server().db.write((tx) =>
          tx.updateTable('risk_flag').set({ ended_at: now() }).where('number', '=', number).execute(),
        );
      }
    }

    it('stand in the list that they wait in, and are counted there', async () => {
      const before = (await counts(ada))!;
      const owners = [await owned(), await owned(), await owned(), await owned()];
      const [waits, asked, decided, appealed] = [
        await openCase(server(), owners[0]!.accountId),
        await openCase(server(), owners[1]!.accountId, { kind: 'not_enough' }),
        await openCaseWhere(false, owners[2]!.accountId),
        await openCaseWhere(false, owners[3]!.accountId),
      ];
      await writeDecision(server(), asked, 'ask', by(ada));
      await writeDecision(server(), decided, 'nothing', by(ada));
      const decision = await writeDecision(server(), appealed, 'warn', by(ada));
      await writeAppeal(server(), decision, { accountId: owners[3]!.accountId });
      for (const [name, number] of [
        ['open', waits],
        ['asked', asked],
        ['decided', decided],
        ['appeals', appealed],
      ] as const)
        for (const other of ['open', 'asked', 'decided', 'appeals'] as const)
          assert.equal(
            (await numbersIn(ada, `list=${other}`)).includes(number),
            other === name || (number === appealed && other === 'decided'),
            `${name} in ${other}`,
          );
      const { open, asked: all, appeals } = (await counts(ada))!;
      assert.deepEqual([open, all, appeals], [before.open + 1, before.asked + 1, before.appeals + 1]);
      const line = async (who: AtDesk) =>
        (await list(who, 'list=appeals')).cases.find((one) => one.number === appealed)!;
      assert.deepEqual([(await line(ada)).isOwn, (await line(ben)).isOwn], [true, false]);
      assert.deepEqual((await numbersIn(ada, 'list=asked&kind=not_enough')).includes(asked), true);
      assert.deepEqual(await numbersIn(ada, 'list=asked&kind=referrals'), []);
      for (const query of ['list=all', 'kind=other', 'before=0', 'before=-1', 'before=x', 'before=1e99'])
        assert.equal((await ada.page.request('GET', `/api/desk/cases?${query}`)).body.code, 'invalid_request', query);
    });

    it('are told by their signs, the strongest in words, and by no name or id of an account', async () => {
      const owner = await owned();
      const number = await openCase(server(), owner.accountId);
      const answer = await ada.page.request<Cases>('GET', '/api/desk/cases');
      const line = answer.body.cases.find((one) => one.number === number)!;
      assert.deepEqual([line.for, line.against, line.summary, line.probability], [2, 1, 'The stronger sign.', 0.97]);
      assert.deepEqual([line.kind, line.decision, line.isAnswered, line.isOwn], ['sharing', null, false, false]);
      const accounts = await server().db.read.selectFrom('account').select(['id', 'email', 'name']).execute();
      for (const kind of ['open', 'asked', 'appeals', 'seconds', 'decided']) {
        const text = JSON.stringify((await ada.page.request('GET', `/api/desk/cases?list=${kind}`)).body);
        for (const { id, email, name } of accounts)
          for (const secret of [id, email, name]) assert.ok(!secret || !text.includes(secret), `${secret} in ${kind}`);
      }
    });

    it('come by page, each once', async () => {
      const owner = await owned();
      await server().db.write(async (tx) => {
        const { number } = await tx
          .selectFrom('risk_flag')
          .select((eb) => eb.fn.max('number').as('number'))
          .executeTakeFirstOrThrow();
        const dossier = JSON.stringify({ kind: 'referrals', lines: [sign('for', 1)], probability: 0 });
        const row = { kind: 'referrals' as const, dossier, opened_at: now(), account_id: owner.accountId };
        // Ended ones, because an account has one open case of a kind.
        for (let n = 1; n <= 120; n++) {
          const flag = { ...row, number: Number(number) + n, ended_at: now() };
          await tx.insertInto('risk_flag').values(flag).execute();
          await tx
            .insertInto('decision')
            .values({
              ...{ id: crypto.randomUUID(), flag_number: flag.number, step: 0, account_id: owner.accountId },
              ...{ kind: 'warn', why: 'x', rule: 'y', until_at: null, delete_at: null, taken_micro: null },
              ...{ reviewer_id: by(ada), is_operators: 0, at: now(), answer: null, answered_at: null },
            })
            .execute();
        }
      });
      const seen: number[] = [];
      let before = '';
      for (let pages = 0; pages < 10; pages++) {
        const { cases, next } = await list(ada, `list=decided&kind=referrals${before}`);
        seen.push(...cases.map(({ number }) => number));
        if (next === null) break;
        before = `&before=${next}`;
      }
      assert.equal(seen.length, 120);
      assert.deepEqual(
        seen,
        [...new Set(seen)].sort((a, b) => b - a),
      );
    });

    it('name the account once one is opened, which is kept', async () => {
      const owner = await member();
      const earlier = await openCaseWhere(false, owner.accountId);
      await writeDecision(server(), earlier, 'warn', by(ben));
      const number = await openCaseWhere(false, owner.accountId);
      await owner.request('PUT', '/api/account/use', { ownGateway: true, severalMachines: false, automationKeys: [] });
      const { status, body } = await open(ada, number);
      assert.equal(status, 200);
      CaseSchema.parse(body);
      const { id, devices, browsers, keys, declared, isTeam, hasPaid, hasPlan, isSuspended } = body.account!;
      assert.deepEqual(
        { id, devices, browsers, keys, isTeam, hasPaid, hasPlan, isSuspended },
        {
          id: owner.accountId,
          devices: 1,
          browsers: 0,
          keys: 0,
          isTeam: false,
          hasPaid: false,
          hasPlan: false,
          isSuspended: false,
        },
      );
      assert.match(body.account!.label, /@example\.org$/);
      assert.deepEqual(declared, ['A gateway or proxy of their own stands in front of their tools.']);
      assert.deepEqual(body.account!.earlier.at(0), { number: earlier, kind: 'sharing', decision: 'warn' });
      assert.deepEqual([body.decisions, body.appeal, body.second, body.whyNot], [[], null, null, null]);
      assert.ok(body.may.includes('suspend') && body.may.includes('ask'));
      const [act] = (await ada.page.request<Trail>('GET', '/api/desk/trail')).body.acts;
      const { name } = (await ada.page.request<DeskState>('GET', '/api/desk')).body;
      assert.deepEqual([act!.act, act!.case, act!.who], ['opened_case', number, name]);
    });

    it('say why nothing can be decided: it was decided, or the account is deleted', async () => {
      const owner = await owned();
      const number = await openCaseWhere(false, owner.accountId);
      await writeDecision(server(), number, 'warn', by(ben));
      const { may, whyNot, decisions } = (await open(ada, number)).body;
      assert.deepEqual([may, decisions.map(({ kind, step }) => [kind, step])], [[], [['warn', 0]]]);
      assert.match(whyNot!, /decided/);
      await erase(owner.accountId);
      const gone = (await open(ada, number)).body;
      assert.deepEqual([gone.account, gone.may], [null, []]);
      assert.match(gone.whyNot!, /deleted/);
    });

    it('with an appeal tell who hears it, and let the reviewer who decided not do so', async () => {
      const owner = await owned();
      const number = await openCaseWhere(false, owner.accountId);
      await writeAppeal(server(), await writeDecision(server(), number, 'suspend', by(ada)), owner);
      const [own, others] = [(await open(ada, number)).body.appeal!, (await open(ben, number)).body.appeal!];
      assert.deepEqual([own.mayDecide, others.mayDecide], [false, true]);
      assert.deepEqual([own.heardBy, own.useCase, own.outcome], ['another reviewer', 'My own work.', null]);
    });

    it('are no case by a forged number', async () => {
      const last = await openCase(server(), (await owned()).accountId);
      for (const forged of ['0', '-1', '1e99', '1e1', '01', `${last}.0`, String(last + 1000), '999999999999999999999'])
        for (const [method, path, body] of [
          ['GET', `/api/desk/cases/${forged}`, undefined],
          ['POST', `/api/desk/cases/${forged}/second`, { kind: 'warn', why: 'x' }],
        ] as const) {
          const answer = await ada.page.request(method, path, body);
          assert.deepEqual([answer.status, answer.body.code], [404, 'not_found'], path);
        }
      for (const odd of ['text', '%00', '٣', '1;drop table account', ' 1', '+1', '0x1', crypto.randomUUID()])
        assert.equal((await open(ada, encodeURIComponent(odd))).status, 404, odd);
    });

    it('about a reviewer’s own account are in none of their lists, and are not opened', async () => {
      const number = await openCase(server(), by(ben));
      assert.equal((await numbersIn(ben, 'list=open')).includes(number), false);
      assert.equal((await numbersIn(ada, 'list=open')).includes(number), true);
      assert.equal((await open(ben, number)).status, 404, 'an owner hears of it when it is decided');
      await open(ada, number);
      await writeDecision(server(), number, 'nothing', by(ada));
      const { status, body } = await open(ben, number);
      assert.deepEqual([status, body.code], [403, 'own_case']);
      const { acts } = (await ben.page.request<Trail>('GET', '/api/desk/trail')).body;
      assert.ok(!acts.some((one) => one.case === number), 'nor of who looked at it');
      assert.equal((await numbersIn(ben, 'list=decided')).includes(number), false);
    });

    describe('every fifth of them', () => {
      const give = ({ page }: AtDesk, number: number, kind: string) =>
        page.request<Case>('POST', `/api/desk/cases/${number}/second`, { kind, why: 'By the signs.' });
      let number = 0;
      beforeEach(async () => {
        number = await openCaseWhere(true, (await owned()).accountId);
        await writeDecision(server(), number, 'suspend', by(ada));
      });

      it('waits for a second look of another reviewer, who sees the decision nowhere', async () => {
        await ada.page.request('POST', '/api/desk/pause', { why: 'x' });
        await server().db.write((tx) =>
          tx
            .insertInto('desk_act')
            .values({
              ...{ at: now(), reviewer_id: by(ada), is_operators: 0, act: 'decided', flag_number: number },
              detail: 'suspend',
            })
            .execute(),
        );
        await ada.page.request('DELETE', '/api/desk/pause');
        assert.ok((await numbersIn(ben, 'list=seconds')).includes(number));
        assert.ok(!(await numbersIn(ada, 'list=seconds')).includes(number), 'not of who decided it');
        const line = (await list(ben, 'list=decided')).cases.find((one) => one.number === number)!;
        assert.equal(line.decision, null);
        const { body } = await open(ben, number);
        assert.deepEqual([body.decisions, body.may, body.account!.isSuspended], [[], [], false]);
        assert.deepEqual(body.second, { mayGive: true, given: null, why: null });
        const decidedIn = async ({ page }: AtDesk) =>
          (await page.request<Trail>('GET', '/api/desk/trail')).body.acts.find(
            (one) => one.act === 'decided' && one.case === number,
          )!.detail;
        assert.deepEqual([await decidedIn(ben), await decidedIn(ada)], [null, 'suspend']);
      });

      it('is judged once, and shows the decision then', async () => {
        const both = await Promise.all([give(ben, number, 'warn'), give(ben, number, 'warn')]);
        assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
        const { body } = await open(ben, number);
        assert.deepEqual(body.second, { mayGive: false, given: 'warn', why: 'By the signs.' });
        assert.equal(body.decisions[0]!.kind, 'suspend');
        assert.ok(!(await numbersIn(ben, 'list=seconds')).includes(number));
        assert.equal((await give(ben, number, 'nothing')).body.code, 'not_to_decide');
      });

      it('is not judged by who decided it, after an appeal, or by one reviewer alone', async () => {
        assert.equal((await give(ada, number, 'warn')).body.code, 'not_to_decide');
        await runAdmin(server(), 'suspend', ada.email, '--why', 'A look at it.');
        assert.equal((await open(ben, number)).body.second, null);
        await runAdmin(server(), 'reinstate', ada.email);
        assert.ok((await open(ben, number)).body.second);
        const { id, account_id } = await server()
          .db.read.selectFrom('decision')
          .selectAll()
          .where('flag_number', '=', number)
          .executeTakeFirstOrThrow();
        await writeAppeal(server(), id, { accountId: account_id! });
        assert.equal((await give(ben, number, 'warn')).body.code, 'not_to_decide');
      });
    });

    describe('in numbers', () => {
      const numbers = async (days: number) =>
        (await ada.page.request<Numbers>('GET', `/api/desk/numbers?days=${days}`)).body;

      it('are those of the last days alone: by kind, by rule, of appeals and second looks', async () => {
        server().clock.advance(60 * DAY);
        // The sessions of before have expired.
        ada = await atDesk(world());
        ben = await atDesk(world());
        const start = now();
        const owner = async () => (await owned()).accountId;
        /** Opens a case of these rules, decided after so many hours. */
        async function decided(
          hours: number,
          decision: Parameters<typeof writeDecision>[2],
          more: Parameters<typeof openCase>[2] = {},
        ) {
          const accountId = await owner();
          const number = await openCase(server(), accountId, { at: start, ...more });
          const id = await writeDecision(server(), number, decision, by(ada), start + hours * HOUR);
          return { id, number, accountId };
        }
        await openCase(server(), await owner(), { at: start });
        // Before these days.
        const old = await openCase(server(), await owner(), { at: start - 45 * DAY });
        await writeDecision(server(), old, 'close', by(ada), start - 40 * DAY);
        await decided(1, 'nothing');
        const warned = await decided(2, 'warn');
        const suspended = await decided(9, 'suspend', { rulesVersion: 2, thresholdVersion: 5 });
        const asked = await openCase(server(), await owner(), { at: start, kind: 'not_enough' });
        await writeDecision(server(), asked, 'ask', by(ada), start + HOUR);
        await writeDecision(server(), asked, 'nothing', by(ben), start + 10 * HOUR);
        await decided(0, 'suspend', { kind: 'operator' });
        const second = await decided(3, 'warn', { kind: 'referrals' });
        await writeAppeal(server(), warned.id, {
          ...{ accountId: warned.accountId, at: start + 5 * HOUR },
          decided: { outcome: 'reversed', at: start + 11 * HOUR, by: by(ben) },
        });
        await writeAppeal(server(), suspended.id, {
          ...{ accountId: suspended.accountId, at: start + 10 * HOUR },
          decided: { outcome: 'upheld', at: start + 20 * HOUR, by: by(ben) },
        });
        await server().db.write((tx) =>
          tx
            .insertInto('second_look')
            .values({ flag_number: second.number, reviewer_id: by(ben), kind: 'warn', why: 'x', at: start + 4 * HOUR })
            .execute(),
        );
        server().clock.advance(DAY);
        await openDesk(world(), ada);
        const got = await numbers(30);
        assert.deepEqual(got, {
          days: 30,
          cases: [
            {
              ...{ kind: 'sharing', opened: 4, decided: 3, hoursToDecision: 2 },
              decisions: [
                { kind: 'nothing', count: 1 },
                { kind: 'warn', count: 1 },
                { kind: 'suspend', count: 1 },
              ],
            },
            {
              ...{ kind: 'not_enough', opened: 1, decided: 1, hoursToDecision: 10 },
              decisions: [
                { kind: 'nothing', count: 1 },
                { kind: 'ask', count: 1 },
              ],
            },
            {
              ...{ kind: 'referrals', opened: 1, decided: 1, hoursToDecision: 3 },
              decisions: [{ kind: 'warn', count: 1 }],
            },
            {
              ...{ kind: 'operator', opened: 1, decided: 1, hoursToDecision: 0 },
              decisions: [{ kind: 'suspend', count: 1 }],
            },
          ],
          rules: [
            { rulesVersion: 2, thresholdVersion: 5, kind: 'sharing', decided: 1, cameToNothing: 0 },
            { rulesVersion: 1, thresholdVersion: 1, kind: 'sharing', decided: 2, cameToNothing: 2 },
            { rulesVersion: 1, thresholdVersion: 1, kind: 'not_enough', decided: 1, cameToNothing: 1 },
            { rulesVersion: 1, thresholdVersion: 1, kind: 'referrals', decided: 1, cameToNothing: 0 },
          ],
          appeals: { made: 2, decided: 2, reversed: 1, hoursToDecision: 8 },
          agreement: { looked: 1, agreed: 1 },
        });
        const shown = await fetch(`${server().url}/api/fair-use`);
        assert.equal(shown.status, 200);
        const { rules: _, ...open } = await numbers(90);
        assert.deepEqual((await shown.json()) as FairUse, open, 'to everybody: of 90 days, without the rules');
      });

      it('of no days or too many are refused', async () => {
        for (const days of ['0', '-1', '181', 'x', '1.5'])
          assert.equal((await ada.page.request('GET', `/api/desk/numbers?days=${days}`)).body.code, 'invalid_request');
      });
    });

    it('are flagged no more while somebody has stopped that, which is kept', async () => {
      const { page } = ada;
      const paused = async () => (await page.request<DeskState>('GET', '/api/desk')).body.paused;
      await page.request('POST', '/api/desk/pause', { why: 'Too many at once.' });
      const since = await paused();
      assert.equal(since!.why, 'Too many at once.');
      await ben.page.request('POST', '/api/desk/pause', { why: 'Another reason.' });
      assert.deepEqual(await paused(), since, 'the first one counts');
      assert.match((await runAdmin(server(), 'flags')).lines.at(-1)!, /Too many at once/);
      await runAdmin(server(), 'flags', 'on');
      assert.equal(await paused(), null);
      await page.request('DELETE', '/api/desk/pause');
      await runAdmin(server(), 'flags', 'off', '--why', 'By a command.');
      await page.request('DELETE', '/api/desk/pause');
      const { acts } = (await page.request<Trail>('GET', '/api/desk/trail')).body;
      assert.deepEqual(
        acts.slice(0, 4).map(({ act, who, detail }) => [act, who === 'the operator', detail]),
        [
          ['resumed', false, null],
          ['paused', true, 'By a command.'],
          ['resumed', true, null],
          ['paused', false, 'Too many at once.'],
        ],
      );
    });

    it('leave a trail that comes by page and names nobody who is gone', async () => {
      const gone = await atDesk(world());
      const { name } = (await gone.page.request<DeskState>('GET', '/api/desk')).body;
      const { db } = server();
      await erase(gone.member.accountId);
      await db.write(async (tx) => {
        const act = { at: now(), reviewer_id: by(ada), is_operators: 0, act: 'opened_case', flag_number: 1 };
        for (let n = 0; n < 150; n++)
          await tx
            .insertInto('desk_act')
            .values({ ...act, detail: null })
            .execute();
      });
      const seen = [];
      let before = '';
      for (;;) {
        const { acts, next } = (await ada.page.request<Trail>('GET', `/api/desk/trail${before}`)).body;
        seen.push(...acts);
        if (next === null) break;
        before = `?before=${next}`;
      }
      const { count } = await db.read
        .selectFrom('desk_act')
        .select((eb) => eb.fn.countAll<number | string>().as('count'))
        .executeTakeFirstOrThrow();
      assert.equal(new Set(seen.map(({ id }) => id)).size, Number(count));
      assert.ok(!JSON.stringify(seen).includes(`"${name}"`));
      assert.ok(seen.some(({ who }) => who === 'a former reviewer'));
      assert.equal((await ada.page.request('GET', '/api/desk/trail?before=x')).body.code, 'invalid_request');
    });
  },
  {
    policy: (policy) => {
      policy.risk.publicNumbers = true;
    },
  },
);
