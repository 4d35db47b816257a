import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { grant } from '../../server/credits/holds/store.ts';
import type { LogAnswer, UsageAnswer } from '../../shared/credits.ts';
import type { Spending } from '../../shared/runs.ts';
import { type Answer, Client, endOf } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';
import { openTool, ownerOf } from '../support/tools.ts';

const C = 1_000_000;
const HOUR = 3_600_000;

onBothEngines('the token log', (server) => {
  /** The same account at another device. */
  const at = (client: Client, device: string) => new Client(client.url, client.token, client.accountId, device);
  const usage = (client: Client, query: string) =>
    client.request<UsageAnswer>('GET', `/api/credits/usage${query}`) as Promise<Answer<UsageAnswer>>;

  it('names the device that asked, and is filtered by it, by kind, model, conversation and time', async () => {
    const guest = await server().guest();
    const first = guest.chat('one');
    await at(guest, 'laptop').run(first);
    server().clock.advance(HOUR);
    const later = new Date(server().clock.now()).toISOString();
    await at(guest, 'desktop').run(guest.chat('two'));
    const lines = async (query: string) => {
      const { status, body } = await guest.log(query);
      assert.equal(status, 200, JSON.stringify(body));
      return body.entries.map((entry) => entry.tool ?? entry.kind);
    };
    assert.deepEqual(await lines(''), ['desktop', 'laptop', 'grant']);
    assert.deepEqual(await lines('?tool=laptop'), ['laptop']);
    assert.deepEqual(await lines('?kind=grant'), ['grant']);
    assert.deepEqual(await lines('?kind=charge'), ['desktop', 'laptop']);
    assert.deepEqual(await lines(`?conversation=${first.conversationId}`), ['laptop']);
    assert.deepEqual(await lines(`?from=${later}`), ['desktop']);
    assert.deepEqual(await lines(`?to=${later}`), ['laptop', 'grant']);
    const { model } = (await guest.log('?tool=laptop')).body.entries[0]!;
    assert.deepEqual(await lines(`?model=${model}&limit=1`), ['desktop']);
    assert.deepEqual(await lines('?model=another'), []);
    assert.deepEqual(await lines(`?conversation=${randomUUID()}`), []);
  });

  it('names the tool and the API key of a call, also once the key is renamed and revoked', async () => {
    const tool = await openTool(server(), { name: '=1+1, "laptop"' });
    const owner = await ownerOf(server(), tool);
    const call = { model: 'double', messages: [{ role: 'user' as const, content: 'Hello' }] };
    const agent = { 'user-agent': 'opencode/1.18.3' };
    assert.equal((await tool.send(call, agent)).status, 200);
    const patched = await owner.request('PATCH', `/api/keys/${tool.keyId}`, { name: 'desktop' });
    assert.equal(patched.status, 200, JSON.stringify(patched.body));
    assert.equal((await tool.send(call, agent)).status, 200);
    await owner.run(owner.chat('from the editor'));
    assert.equal((await owner.request('DELETE', `/api/keys/${tool.keyId}`)).status, 204);
    const named = (entries: LogAnswer['entries']) => entries.map(({ kind, tool: by, key }) => [kind, by, key?.name]);
    assert.deepEqual(named((await owner.log()).body.entries), [
      ['charge', 'test', undefined],
      ['charge', 'OpenCode', 'desktop'],
      ['charge', 'OpenCode', '=1+1, "laptop"'],
      ['grant', undefined, undefined],
    ]);
    assert.equal((await owner.log(`?key=${tool.keyId}`)).body.entries.length, 2);
    assert.deepEqual((await owner.log(`?key=${randomUUID()}`)).body.entries, []);
    const { body: csv } = await owner.request<string>('GET', `/api/credits/log.csv?key=${tool.keyId}`);
    const [head, first, second] = String(csv).trimEnd().split('\r\n');
    assert.match(head!, /,estimated,key,key_id$/);
    assert.ok(first!.endsWith(`,desktop,${tool.keyId}`), first);
    assert.ok(second!.endsWith(`,"'=1+1, ""laptop""",${tool.keyId}`), second);
    const { rows } = (await usage(owner, '?by=key')).body;
    assert.deepEqual(
      rows.map(({ key, name, runs }) => [key, name, runs]),
      [
        [tool.keyId, 'desktop', 2],
        ['', undefined, 1],
      ],
    );
    const since = new Date(server().clock.now() - HOUR).toISOString();
    const { body: spending } = await owner.request<Spending>('GET', `/api/runs/spending?since=${since}`);
    assert.deepEqual(
      spending.keys.map(({ id, name, runs }) => [id, name, runs]),
      [[tool.keyId, 'desktop', 2]],
    );
    const told = [...spending.keys, ...spending.conversations].reduce((sum, row) => sum + row.chargedMicro, 0);
    assert.equal(told, spending.chargedMicro);
  });

  it('is summed up into a file with the rows of the answer, by each grouping', async () => {
    const tool = await openTool(server(), { name: '@home' });
    const owner = await ownerOf(server(), tool);
    await tool.send({ model: 'double', messages: [{ role: 'user', content: 'Hello' }] }, { 'user-agent': '=cmd' });
    await at(owner, '-laptop').run(owner.chat('hello'));
    for (const by of ['day', 'model', 'tool', 'key']) {
      const query = `?by=${by}&zone=Asia/Kathmandu`;
      const { rows } = (await usage(owner, query)).body;
      const { status, body, headers } = await owner.request<string>('GET', `/api/credits/usage.csv${query}`);
      assert.equal(status, 200);
      assert.equal(headers.get('content-type'), 'text/csv; charset=utf-8');
      const day = '\\d{4}-\\d\\d-\\d\\d';
      assert.match(
        headers.get('content-disposition')!,
        new RegExp(`^attachment; filename="perigee-usage-by-${by}-${day}-${day}\\.csv"$`),
      );
      const [head, ...lines] = String(body).trimEnd().split('\r\n');
      const names = by === 'key' ? 'key,key_id' : by;
      assert.equal(head, `${names},runs,input_tokens,cached_input_tokens,output_tokens,charged_micro`);
      const safe = (text: string) => (/^[=@-]/.test(text) ? `'${text}` : text);
      assert.deepEqual(
        lines,
        rows.map(({ key, name, runs, inputTokens, cachedInputTokens, outputTokens, chargedMicro }) =>
          [
            ...(by === 'key' ? [safe(name ?? ''), key] : [safe(key)]),
            ...[runs, inputTokens, cachedInputTokens, outputTokens, chargedMicro],
          ].join(','),
        ),
      );
    }
  });

  it('goes on by pages with a filter, without a gap or a repeat', async () => {
    const guest = await server().guest();
    for (const device of ['a', 'b', 'a', 'b', 'a']) await at(guest, device).run(guest.chat('hello'));
    const seen: string[] = [];
    for (let before: string | null = ''; before !== null; ) {
      const page: LogAnswer = (await guest.log(`?tool=a&limit=2${before ? `&before=${before}` : ''}`)).body;
      seen.push(...page.entries.map(({ id }) => id));
      before = page.before;
    }
    const all = (await guest.log()).body.entries.filter(({ tool }) => tool === 'a').map(({ id }) => id);
    assert.equal(all.length, 3);
    assert.deepEqual(seen, all);
  });

  it('refuses a filter that says nothing, naming what is wrong', async () => {
    const guest = await server().guest();
    for (const [query, said] of [
      ['?kind=bribe', /kind/],
      ['?conversation=mine', /conversation/],
      ['?key=mine', /key/],
      ['?from=yesterday', /from/],
      ['?from=2027-01-02T00:00:00Z&to=2027-01-01T00:00:00Z', /from must be before to/],
      ['?before=-1', /before/],
      ['?limit=0', /limit/],
    ] as const)
      for (const path of ['/api/credits/log', '/api/credits/log.csv']) {
        if (path.endsWith('csv') && /before|limit/.test(query)) continue;
        const { status, body } = await guest.request('GET', path + query);
        assert.deepEqual([status, body.code], [400, 'invalid_request'], path + query);
        assert.match(body.detail, said);
      }
  });

  it('is a file for spreadsheets: numbers are numbers, and no text of anybody is a formula', async () => {
    const guest = await server().guest();
    await at(guest, '=HYPERLINK("https://evil.example")').run(guest.chat('one'));
    const runs = ['@tool', '+1', '-1', 'plain, with "quotes"'];
    for (const device of runs) await at(guest, device).run(guest.chat('more'));
    const { status, body, headers } = await guest.request<string>('GET', '/api/credits/log.csv');
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'text/csv; charset=utf-8');
    assert.match(
      headers.get('content-disposition')!,
      /^attachment; filename="perigee-token-log-\d{4}-\d\d-\d\d\.csv"$/,
    );
    const lines = String(body).trimEnd().split('\r\n');
    assert.equal(lines.length, 7);
    assert.match(lines[0]!, /^at,kind,amount_micro,balance_micro,reason,reason_code,model,tool,run,/);
    assert.match(String(body), /,"'=HYPERLINK\(""https:\/\/evil\.example""\)",/);
    for (const text of ["'@tool", "'+1", "'-1"]) assert.ok(String(body).includes(`,${text},`), text);
    assert.ok(String(body).includes(',"plain, with ""quotes""",'));
    assert.match(lines[1]!, /^[^,]+,charge,-1000000,5000000,/, 'a charge is a negative number, and no text');
    const part = await guest.request<string>('GET', '/api/credits/log.csv?kind=grant');
    assert.equal(String(part.body).trimEnd().split('\r\n').length, 2);
  });

  it('is read whole into the file, however many pages that takes', async () => {
    const guest = await server().guest();
    const given = { accountId: guest.accountId, amountMicro: 1, reason: 'for the test', at: server().clock.now() };
    await server().db.write(async (tx) => {
      for (let n = 0; n < 1_100; n++) await grant(tx, { ...given, requestId: `${guest.accountId}:${n}` });
    });
    const { body } = await guest.request<string>('GET', '/api/credits/log.csv');
    assert.equal(String(body).trimEnd().split('\r\n').length, 1 + 1 + 1_100);
  });

  it('shows nobody what is another account’s', async () => {
    const [guest, stranger] = [await server().guest(), await server().guest()];
    const request = guest.chat('mine');
    await guest.run(request);
    const query = `?conversation=${request.conversationId}`;
    assert.deepEqual((await stranger.log(query)).body.entries, []);
    const { body } = await stranger.request<string>('GET', `/api/credits/log.csv${query}`);
    assert.equal(String(body).trimEnd().split('\r\n').length, 1);
    assert.equal((await usage(stranger, '')).body.total.runs, 0);
    const sums = await stranger.request<string>('GET', '/api/credits/usage.csv?by=key');
    assert.equal(String(sums.body).trimEnd().split('\r\n').length, 1);
    for (const path of ['log', 'log.csv', 'usage', 'usage.csv'])
      assert.equal((await fetch(`${guest.url}/api/credits/${path}`)).status, 401);
  });

  it('is summed up by day, model and tool, less what was refunded', async () => {
    const guest = await server().guest();
    await at(guest, 'laptop').run(guest.chat('one'));
    const edit = guest.edit('make it better', 'let a;');
    endOf(await at(guest, 'desktop').run(edit));
    assert.equal((await guest.outcome(edit.id, 0, 1)).body.refundedMicro, C);
    const byTool = (await usage(guest, '?by=tool')).body;
    assert.deepEqual(
      byTool.rows.map(({ key, chargedMicro, runs }) => [key, chargedMicro, runs]),
      [
        ['laptop', C, 1],
        ['desktop', 0, 1],
      ],
    );
    assert.equal(byTool.total.chargedMicro, C);
    assert.ok(byTool.total.inputTokens > 0 && byTool.total.outputTokens > 0);
    const byModel = (await usage(guest, '?by=model')).body;
    assert.deepEqual(
      byModel.rows.map(({ chargedMicro, runs }) => [chargedMicro, runs]),
      [[C, 2]],
    );
    const byDay = (await usage(guest, '')).body;
    assert.ok(byDay.rows.length === 31, `${byDay.rows.length} days, today and 30 before`);
    assert.equal(byDay.rows.at(-1)!.runs, 2);
    assert.equal(byDay.rows[0]!.runs, 0, 'days without a run are there, too');
  });

  it('counts a run to the day that it was in the zone that is asked for', async () => {
    const guest = await server().guest();
    await guest.run(guest.chat('late'));
    // Half past ten in the evening in UTC: the next day in Kathmandu (+5:45), still noon in Honolulu (-10).
    const when = Date.parse('2027-03-10T22:30:00Z');
    await server().db.write((tx) =>
      sql`update log_entry set at = ${when} where kind = 'charge' and ledger_id in
        (select ledger_id from wallet where account_id = ${guest.accountId})`.execute(tx),
    );
    const dayIn = async (zone: string) => {
      const { body } = await usage(guest, `?from=2027-03-09T00:00:00Z&to=2027-03-12T00:00:00Z&zone=${zone}`);
      return body.rows.filter(({ runs }) => runs > 0).map(({ key }) => key);
    };
    assert.deepEqual(await dayIn('UTC'), ['2027-03-10']);
    assert.deepEqual(await dayIn('Asia/Kathmandu'), ['2027-03-11']);
    assert.deepEqual(await dayIn('Pacific/Honolulu'), ['2027-03-10']);
  });

  it('has every day once where clocks change', async () => {
    const guest = await server().guest();
    const { body } = await usage(guest, '?from=2027-03-26T23:00:00Z&to=2027-03-29T22:00:00Z&zone=Europe/Rome');
    assert.deepEqual(
      body.rows.map(({ key }) => key),
      ['2027-03-27', '2027-03-28', '2027-03-29'],
    );
  });

  it('refuses to sum up what has no meaning, naming it', async () => {
    const guest = await server().guest();
    for (const [query, said] of [
      ['?by=colour', /by/],
      ['?zone=Atlantis', /no such zone/],
      ['?zone=', /no such zone/],
      ['?from=2027-01-02T00:00:00Z&to=2027-01-01T00:00:00Z', /from must be before to/],
      ['?from=2020-01-01T00:00:00Z&to=2027-01-01T00:00:00Z', /366 days/],
    ] as const) {
      for (const path of ['usage', 'usage.csv']) {
        const { status, body } = await guest.request('GET', `/api/credits/${path}${query}`);
        assert.deepEqual([status, body.code], [400, 'invalid_request'], path + query);
        assert.match(body.detail, said);
      }
    }
  });
});
