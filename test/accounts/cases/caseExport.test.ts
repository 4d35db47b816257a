import assert from 'node:assert/strict';
import type { ExportedCase } from '../../../server/accounts/cases/caseExport.ts';
import { openFlag } from '../../../server/risk/flags/store.ts';
import { dossierOf } from '../../../server/risk/score/dossier.ts';
import { judge } from '../../../server/risk/score/judge.ts';
import { emptySketch, fold } from '../../../server/risk/signals/sketch.ts';
import type { Dossier } from '../../../shared/risk.ts';
import { RELAY, tenPeople } from '../../risk/people.ts';
import { runAdmin } from '../../support/admin.ts';
import { decided } from '../../support/cases.ts';
import { onBothEngines } from '../../support/engines.ts';
import { openTool } from '../../support/tools.ts';

const sketch = emptySketch();
for (const one of tenPeople(6, RELAY)) fold(sketch, one);
const judgement = judge(sketch, { isDeclared: false });
const AT = Date.parse('2026-11-29T18:54:21.123Z');
const DOSSIER = dossierOf(judgement, sketch, AT);

onBothEngines('the numbers of a case', (server) => {
  const db = () => server().db;
  const admin = (...args: string[]) => runAdmin(server(), 'case', ...args);
  /** Returns the case's number and whose it is. */
  async function flagged(dossier: Dossier = DOSSIER) {
    const { accountId } = await openTool(server());
    const number = await db().write((tx) => openFlag(tx, accountId, dossier, AT));
    return { accountId, number: number! };
  }

  for (const [outcome, isReversed] of [
    ['upheld', false],
    ['reversed', true],
  ] as const)
    it(`are printed as JSON if the owner has allowed it and the appeal is ${outcome}`, async () => {
      const { accountId, number } = await flagged();
      await decided(db(), number, 'ask', null, { step: 0 });
      await decided(db(), number, 'suspend', { numbers_may_be_used: 1, outcome });
      const { code, lines } = await admin(String(number));
      assert.equal(code, 0, lines.join('\n'));
      const text = lines.join('\n');
      const exported = JSON.parse(text) as ExportedCase;
      assert.deepEqual(
        { ...exported, signals: exported.signals.length },
        {
          ...{ kind: 'sharing', rulesVersion: DOSSIER.rulesVersion, thresholdVersion: DOSSIER.thresholdVersion },
          ...{ days: exported.days, nats: DOSSIER.nats, signals: 16, decision: 'suspend', isReversed },
        },
      );
      assert.ok(Math.abs(exported.days - (sketch.lastS - sketch.firstS) / 86_400) < 1e-4);
      for (const [i, { signal, value, seen, nats }] of exported.signals.entries()) {
        const line = DOSSIER.lines[i]!;
        assert.deepEqual({ signal, nats }, { signal: line.signal, nats: line.nats });
        assert.deepEqual(value === null ? seen : { ...seen, value }, line.seen);
      }
      assert.ok(!text.includes(accountId));
      assert.doesNotMatch(text, /\d{4}-\d\d|T\d\d:|secret|\d{10}/i);
      const strings = [...text.matchAll(/: "([^"]*)"/g)].map(([, said]) => said);
      assert.deepEqual(strings, ['sharing', 'suspend']);
    });

  it('stay printable when the account is deleted: they have no name', async () => {
    const { accountId, number } = await flagged();
    await decided(db(), number, 'warn', { numbers_may_be_used: 1, outcome: 'upheld' });
    await db().write(async (tx) => {
      await tx.updateTable('risk_flag').set({ account_id: null }).where('account_id', '=', accountId).execute();
    });
    assert.equal((await admin(String(number))).code, 0);
  });

  const REFUSED: [
    what: string,
    dossier: Partial<Dossier>,
    appeal: Parameters<typeof decided>[3] | 'undecided',
    said: RegExp,
  ][] = [
    ['without a decision', {}, 'undecided', /^Case \d+ has no appeal, and only there its owner can allow .*\. Export another case\.$/],
    ['without an appeal', {}, null, /^Case \d+ has no appeal, /],
    ['whose owner has not allowed it', {}, { numbers_may_be_used: 0, outcome: 'upheld' }, /^The owner of case \d+ has not allowed that its numbers are used: they stay here\. /],
    ['whose owner has not allowed it, reversed', {}, { numbers_may_be_used: 0, outcome: 'reversed' }, /^The owner of case \d+ has not allowed /],
    ['whose appeal is open', {}, { numbers_may_be_used: 1, outcome: null }, /^The appeal of case \d+ is open, .*\. Export it once the appeal is decided\.$/],
    ['about referrals', { kind: 'referrals' }, { numbers_may_be_used: 1, outcome: 'upheld' }, /^Case \d+ has no numbers: /],
    ['of the operator', { kind: 'operator', lines: [] }, { numbers_may_be_used: 1, outcome: 'upheld' }, /^Case \d+ has no numbers: /],
    ['of a version that kept no numbers', { lines: DOSSIER.lines.map(({ seen: _, ...line }) => line) }, { numbers_may_be_used: 1, outcome: 'upheld' }, /^Case \d+ has no numbers: /],
  ]; // biome-ignore format: a table
  for (const [what, dossier, appeal, said] of REFUSED)
    it(`are refused of a case ${what}`, async () => {
      const { number } = await flagged({ ...DOSSIER, ...dossier });
      if (appeal !== 'undecided') await decided(db(), number, 'warn', appeal);
      const { code, lines } = await admin(String(number));
      assert.deepEqual([code, lines.length], [1, 1]);
      assert.match(lines[0]!, said);
    });

  for (const wrong of ['0', '999999', '1e99', '01', '-', '; drop', '1.5', ' '])
    it(`are refused of a case "${wrong}", which there is not`, async () => {
      assert.deepEqual(await admin(wrong), {
        code: 1,
        lines: [`There is no case "${wrong}". The command "flags" lists the open ones.`],
      });
    });

  it('are of one case at a time, and no option changes what is printed', async () => {
    for (const wrong of [[], ['1', '2'], ['1', '--why', 'x']]) assert.equal((await admin(...wrong)).code, 2);
  });
});
