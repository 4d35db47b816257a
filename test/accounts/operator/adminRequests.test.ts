import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { runAdmin } from '../../support/admin.ts';
import { onBothEngines } from '../../support/engines.ts';
import { openTool, ownerOf } from '../../support/tools.ts';

const CHAT = { model: 'double', messages: [{ role: 'user' as const, content: 'Hi' }] };
const HOUR = 3_600_000;

onBothEngines('an operator who looks at requests', (server) => {
  const admin = (...args: string[]) => runAdmin(server(), 'requests', ...args);

  it('sees the newest of one account and of all, those that failed, and those since a time', async () => {
    const [one, other] = [await openTool(server()), await openTool(server(), { credits: 0 })];
    const owner = await ownerOf(server(), one);
    await one.send(CHAT, { 'user-agent': 'opencode/1.18' });
    const refused = await one.send({ ...CHAT, model: 'nobody' }, { 'user-agent': 'opencode/1.18' });
    await other.send(CHAT, { 'user-agent': 'claude-cli/2' });
    await owner.request('GET', '/api/requests');
    const all = await admin();
    assert.equal(all.code, 0, all.lines.join('\n'));
    assert.match(
      all.lines[0]!,
      /^at +request +account +tool +model +service +outcome +first\/whole ms +tokens in\/out +charged$/,
    );
    assert.match(all.lines[1]!, new RegExp(`${other.accountId} +Claude Code +double +refused: insufficient_credits `));
    const own = (await admin(one.accountId)).lines;
    assert.equal(own.length, 3);
    assert.match(own[0]!, /^at +request +tool /);
    assert.match(own[1]!, /OpenCode +nobody +refused: model_unknown +–\/\d+ +0 credits$/);
    assert.match(own[2]!, /OpenCode +double +answered +\d+\/\d+ +\d+\/\d+ +1 credit$/);
    const failed = (await admin(one.accountId, '--failed', '--since', '1h')).lines;
    assert.equal(failed.length, 2);
    assert.ok(failed[1]!.includes(refused.headers.get('x-request-id')!));
    const later = new Date(server().clock.now() + HOUR).toISOString();
    server().clock.advance(2 * HOUR);
    for (const since of [later, '1h'])
      assert.deepEqual((await admin(one.accountId, '--since', since)).lines, ['There is none.'], since);
  });

  it('sees one by the id that its owner tells, with all that is known of it, and no text', async () => {
    const tool = await openTool(server());
    const owner = await ownerOf(server(), tool);
    const sent = await tool.send({ ...CHAT, messages: [{ role: 'user', content: 'a secret' }] });
    await owner.request('GET', '/api/requests');
    const { code, lines } = await admin('--id', ` ${sent.headers.get('x-request-id')!.toUpperCase()} `);
    assert.equal(code, 0, lines.join('\n'));
    const text = lines.join('\n');
    for (const fact of [
      /^account +/m,
      /^API key +.+, a tool$/m,
      /^call +\/v1\/chat\/completions$/m,
      /^outcome +answered$/m,
    ])
      assert.match(text, fact);
    assert.ok(!text.includes('secret'));
  });

  it('is told what was wrong with the command', async () => {
    for (const [args, code, said] of [
      [['--id', randomUUID()], 1, /There is no request/],
      [['nobody@example.org'], 1, /There is no account/],
      [['--since', 'yesterday'], 2, /is no time/],
      [['--since', '2099-01-01'], 2, /is yet to come/],
      [['--id', randomUUID(), '--failed'], 2, /takes no --failed/],
      [['a', 'b'], 2, /an account or nothing/],
    ] as const) {
      const { code: given, lines } = await admin(...args);
      assert.equal(given, code, lines.join('\n'));
      assert.match(lines[0]!, said);
    }
  });
});
