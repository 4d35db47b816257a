import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as http from 'node:http';
import { BOUNDED_MS, TookTooLong } from '../../server/platform/db/database.ts';
import { KEPT_A_MINUTE } from '../../server/requests/recorder.ts';
import { MICRO_PER_CREDIT } from '../../shared/account.ts';
import type { Problem } from '../../shared/problems.ts';
import type { RequestRecord, RequestsAnswer } from '../../shared/requests.ts';
import { FAILURES, type Script } from '../doubles/script.ts';
import type { Client } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';
import type { TestServer } from '../support/server.ts';
import { openTool, ownerOf, type Tool } from '../support/tools.ts';

const MINUTE = 60_000;
const CHAT = { model: 'double', messages: [{ role: 'user' as const, content: 'Hi' }] };
const MESSAGES = { ...CHAT, max_tokens: 100 };
const RESPONSES = { model: 'double', input: 'Hi' };

/** Reads a call until `leave` is true of what came; then closes the connection. Returns its x-request-id. */
function leaveIn(server: TestServer, tool: Tool, body: object, leave: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { ...tool.headers, 'content-type': 'application/json' };
    const request = http.request(`${server.url}/v1/chat/completions`, { method: 'POST', headers }, (answer) => {
      let text = '';
      answer.on('data', (piece: Buffer) => {
        text += piece;
        if (leave(text)) request.destroy();
      });
      answer.on('error', () => {});
      answer.on('close', () => resolve(String(answer.headers['x-request-id'])));
    });
    request.on('error', (error: NodeJS.ErrnoException) => error.code === 'ECONNRESET' || reject(error));
    request.end(JSON.stringify(body));
  });
}

onBothEngines('the record of requests', (server) => {
  const list = async (owner: Client, query = '') => {
    const { status, body } = await owner.request<RequestsAnswer>('GET', `/api/requests${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const one = (owner: Client, id: string) => owner.request<RequestRecord>('GET', `/api/requests/${id}`);
  /** A tool, and its owner at an editor. */
  async function person(credits = 1_000) {
    const tool = await openTool(server(), { credits });
    return { tool, owner: await ownerOf(server(), tool) };
  }
  /** That of a request that ends behind its client's back. */
  async function recorded(owner: Client, id: string): Promise<RequestRecord> {
    for (;;) {
      const { status, body } = await one(owner, id);
      if (status === 200) return body;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('has what was asked, by what, what answered, how long it took, the tokens and the charge', async () => {
    const { tool, owner } = await person();
    server().double.script({ thoughts: ['Well. '], pieces: ['One ', 'two'], inputTokens: 40 });
    const agent = { 'user-agent': 'opencode/1.18.3', 'x-request-id': randomUUID() };
    const sent = await tool.send({ ...CHAT, stream: true }, agent);
    const id = sent.headers.get('x-request-id')!;
    assert.notEqual(id, agent['x-request-id'], 'the id of a client is not ours');
    const { body } = await one(owner, id);
    const { at, runId, firstMs, wholeMs, usage, ...rest } = body;
    assert.deepEqual(rest, {
      id,
      route: '/v1/chat/completions',
      tool: 'OpenCode',
      key: { id: tool.keyId, name: 'a tool' },
      asked: 'double',
      model: 'double',
      outcome: 'answered',
      status: 200,
      chargedMicro: MICRO_PER_CREDIT,
      times: 1,
    });
    assert.ok(Math.abs(Date.parse(at) - server().clock.now()) < MINUTE, at);
    assert.ok(firstMs !== undefined && firstMs <= wholeMs, JSON.stringify(body));
    const { thinkingTokens, ...counted } = usage!;
    assert.deepEqual(counted, { inputTokens: 40, cachedInputTokens: 0, outputTokens: 3, estimated: false });
    assert.ok(thinkingTokens > 0 && thinkingTokens <= 3);
    // The token log names the run.
    const [line] = (await owner.log()).body.entries;
    assert.equal(line!.runId, runId);
    assert.equal((await one(owner, runId!)).body.id, id);
  });

  describe('says how a call ended, in every dialect', () => {
    const rows: {
      title: string;
      path?: string;
      body?: unknown;
      headers?: Record<string, string>;
      credits?: number;
      script?: Script;
      is: Partial<RequestRecord>;
    }[] = [
      { title: 'Messages, answered', path: '/v1/messages', body: MESSAGES, is: { outcome: 'answered', status: 200 } },
      {
        title: 'Responses, answered',
        path: '/v1/responses',
        body: RESPONSES,
        is: { outcome: 'answered', status: 200 },
      },
      {
        title: 'Messages, streamed',
        path: '/v1/messages',
        body: { ...MESSAGES, stream: true },
        is: { outcome: 'answered', status: 200 },
      },
      {
        title: 'Responses, streamed',
        path: '/v1/responses',
        body: { ...RESPONSES, stream: true },
        is: { outcome: 'answered', status: 200 },
      },
      {
        title: 'the service fails before the answer',
        script: { ...FAILURES.broken, times: 2 },
        is: { outcome: 'failed', code: 'upstream_failed', status: 502, chargedMicro: 0, model: 'double' },
      },
      {
        title: 'the service dies in the middle',
        body: { ...CHAT, stream: true },
        script: { pieces: ['half ', 'an'], end: 'destroy' },
        is: { outcome: 'failed', code: 'upstream_failed', status: 200, chargedMicro: 0 },
      },
      {
        title: 'Messages, the service dies in the middle',
        path: '/v1/messages',
        body: { ...MESSAGES, stream: true },
        script: { pieces: ['half ', 'an'], end: 'destroy' },
        is: { outcome: 'failed', code: 'upstream_failed', status: 200, chargedMicro: 0 },
      },
      {
        title: 'the service refuses the request',
        script: { status: 422, body: { error: { message: 'tools[0] is wrong', type: 'invalid_request_error' } } },
        is: { outcome: 'refused', code: 'request_refused', status: 400, chargedMicro: 0 },
      },
      {
        title: 'an empty answer',
        script: { pieces: [] },
        is: { outcome: 'failed', code: 'empty_answer', status: 200, chargedMicro: 0 },
      },
      {
        title: 'no credits',
        credits: 0,
        is: { outcome: 'refused', code: 'insufficient_credits', status: 402, asked: 'double' },
      },
      {
        title: 'Responses, no credits',
        path: '/v1/responses',
        body: RESPONSES,
        credits: 0,
        is: { outcome: 'refused', code: 'insufficient_credits', status: 429 },
      },
      {
        title: 'an unknown model, with a name that could change a terminal',
        body: { ...CHAT, model: `nobody\u001b[31m${'x'.repeat(150)}` },
        is: { outcome: 'refused', code: 'model_unknown', status: 404, asked: `nobody[31m${'x'.repeat(89)}` },
      },
      { title: 'no JSON', body: '{"model": ', is: { outcome: 'refused', code: 'invalid_json', status: 400 } },
      {
        title: 'no messages',
        body: { model: 'double' },
        is: { outcome: 'refused', code: 'invalid_request', status: 400 },
      },
      {
        title: 'too large',
        body: JSON.stringify({ ...CHAT, user: 'x'.repeat(17 * 1024 * 1024) }),
        is: { outcome: 'refused', code: 'payload_too_large', status: 413 },
      },
      {
        title: 'no such address',
        path: '/v1/embeddings/of/a/stranger',
        is: { outcome: 'refused', code: 'not_found', status: 404, route: '/v1/*' },
      },
      {
        title: 'tokens that are only counted',
        path: '/v1/messages/count_tokens',
        body: MESSAGES,
        is: { outcome: 'answered', status: 200, chargedMicro: 0, route: '/v1/messages/count_tokens' },
      },
    ];
    for (const { title, path = '/v1/chat/completions', body = CHAT, headers, credits, script, is } of rows)
      it(title, async () => {
        const { tool, owner } = await person(credits);
        if (script) server().double.script(script);
        const sent = await tool.send(body, headers, path).catch((error: unknown) => error as Error);
        const { requests } = await list(owner);
        assert.equal(requests.length, 1, JSON.stringify(requests));
        const [record] = requests;
        assert.deepEqual({ ...record, ...is }, record, JSON.stringify(record));
        if (!is.route) assert.equal(record!.route, path);
        // A connection that is cut has no headers left in `fetch`.
        if (!(sent instanceof Error)) assert.equal(sent.headers.get('x-request-id'), record!.id);
      });

    it('its client leaves in the middle', async () => {
      const { tool, owner } = await person();
      const gate = server().double.script({ pieces: ['one ', 'two ', 'three'], gateAt: 2 });
      const id = await leaveIn(server(), tool, { ...CHAT, stream: true }, (text) => text.includes('two'));
      const { outcome, status, chargedMicro, firstMs } = await recorded(owner, id);
      gate.open();
      assert.deepEqual([outcome, status, chargedMicro], ['stopped', 200, MICRO_PER_CREDIT]);
      assert.equal(typeof firstMs, 'number');
    });

    it('its key was revoked, or its account suspended: only of an account that is known', async () => {
      const { tool, owner } = await person();
      await server().db.write((tx) =>
        tx
          .updateTable('account')
          .set({ suspended_at: server().clock.now(), suspended_why: 'a test' })
          .where('id', '=', tool.accountId)
          .execute(),
      );
      assert.equal((await tool.send(CHAT)).status, 403);
      await server().db.write((tx) => tx.deleteFrom('api_key').where('id', '=', tool.keyId).execute());
      assert.equal((await tool.send(CHAT)).status, 401);
      const { requests } = await list(owner);
      assert.deepEqual(
        requests.map(({ outcome, code, status, key }) => [outcome, code, status, key?.name]),
        [['refused', 'suspended', 403, null]],
      );
    });
  });

  describe('has the runs of the editor', () => {
    it('chats and edits; the same run sent again is no other request', async () => {
      const { owner } = await person();
      const chat = owner.chat('Hello');
      await owner.run(chat);
      assert.equal((await owner.start(chat)).status, 202);
      await owner.run(owner.edit('Rename it', 'let a = 1;'));
      const { requests } = await list(owner);
      assert.deepEqual(
        requests.map(({ route, tool, outcome, status, key }) => [route, tool, outcome, status, key]),
        Array(2).fill(['/api/runs', 'test', 'answered', 202, undefined]),
      );
      // The editor knows a failed answer by its run.
      assert.equal((await one(owner, chat.id)).body.runId, chat.id);
    });

    it('one that is stopped, one that fails, and one that is refused', async () => {
      const { owner } = await person(2);
      const gate = server().double.script({ pieces: ['one ', 'two '], gateAt: 1 });
      const stopped = owner.chat('Stop');
      await owner.start(stopped);
      await gate.atGate;
      await owner.stop(stopped.id);
      await owner.events(stopped.id);
      gate.open();
      server().double.script(FAILURES.wrongKey);
      const told = await owner.run(owner.chat('Fail'));
      await owner.run(owner.chat('The last credit'));
      assert.equal((await owner.start(owner.chat('No more'))).status, 402);
      const { requests } = await list(owner);
      assert.deepEqual(
        requests.map(({ outcome, code, status }) => [outcome, code, status]),
        [
          ['refused', 'insufficient_credits', 402],
          ['answered', undefined, 202],
          ['failed', 'upstream_refused', 202],
          ['stopped', undefined, 202],
        ],
      );
      // By its id, a failed answer leads to its record.
      assert.equal((told.at(-1)!.data as Problem).requestId, requests[2]!.id);
    });

    it('what an edit was given back is no charge any more', async () => {
      const { owner } = await person();
      const edit = owner.edit('Rename it', 'let a = 1;');
      await owner.run(edit);
      assert.equal((await one(owner, edit.id)).body.chargedMicro, MICRO_PER_CREDIT);
      assert.equal((await owner.outcome(edit.id, 0, 1)).body.refundedMicro, MICRO_PER_CREDIT);
      assert.equal((await one(owner, edit.id)).body.chargedMicro, 0);
    });
  });

  it('is the account’s own: another one finds nothing under its ids', async () => {
    const [mine, theirs] = [await person(), await person()];
    const id = (await mine.tool.send(CHAT)).headers.get('x-request-id')!;
    const { body } = await one(mine.owner, id);
    assert.equal(body.outcome, 'answered');
    for (const known of [id, body.runId!, randomUUID()]) {
      const { status, body } = await one(theirs.owner, known);
      assert.deepEqual([status, body.code], [404, 'not_found']);
    }
    assert.deepEqual((await list(theirs.owner)).requests, []);
    assert.equal((await one(mine.owner, 'x')).status, 400);
    const withKey = await fetch(`${server().url}/api/requests`, { headers: mine.tool.headers });
    assert.equal(withKey.status, 403, 'a key opens no record');
  });

  it('is read by page, by outcome, tool and key, and as CSV', async () => {
    const { tool, owner } = await person();
    for (const agent of ['opencode/1', 'claude-cli/2', 'opencode/1']) await tool.send(CHAT, { 'user-agent': agent });
    for (const model of ['a', 'b', 'c']) await tool.send({ ...CHAT, model }, { 'user-agent': 'opencode/1' });
    await owner.run(owner.chat('Hello'));
    const all = (await list(owner)).requests;
    assert.equal(all.length, 7);
    const paged: RequestRecord[] = [];
    for (let before: string | null = ''; before !== null; ) {
      const page: RequestsAnswer = await list(owner, `?limit=2${before && `&before=${before}`}`);
      paged.push(...page.requests);
      before = page.before;
    }
    assert.deepEqual(paged, all);
    const count = async (query: string) => (await list(owner, query)).requests.length;
    assert.equal(await count('?outcome=refused'), 3);
    assert.equal(await count('?outcome=refused,failed,interrupted'), 3);
    assert.equal(await count('?outcome=answered,stopped&tool=OpenCode'), 2);
    assert.equal(await count('?tool=Claude%20Code'), 1);
    assert.equal(await count(`?key=${tool.keyId}`), 6);
    assert.equal(await count(`?key=${randomUUID()}`), 0);
    for (const query of ['?outcome=lost', '?before=x', '?limit=0', '?key=x'])
      assert.equal((await owner.request('GET', `/api/requests${query}`)).status, 400, query);
    const { body: csv } = await owner.request<string>('GET', '/api/requests.csv?outcome=refused');
    const lines = String(csv).trimEnd().split('\r\n');
    assert.equal(lines.length, 4);
    assert.ok(lines[1]!.includes(`,/v1/chat/completions,OpenCode,a tool,${tool.keyId},c,`), lines[1]);
    assert.ok(lines[1]!.endsWith(',refused,model_unknown,404,0,1'), lines[1]);
  });

  it('is searched within a time limit, and each account has a limit of time for it', async () => {
    const [one, other] = [await person(), await person()];
    await one.tool.send(CHAT);
    const { db, clock } = server();
    const { readBounded } = db;
    // A search that finds nothing reads all rows of its account.
    db.readBounded = () => {
      clock.advance(BOUNDED_MS);
      return Promise.reject(new TookTooLong());
    };
    try {
      const search = async (path: string) => {
        const { status, body } = await one.owner.request<Problem>('GET', path);
        return [status, body.code];
      };
      for (let n = 0; n < 15; n++) {
        const path = n % 2 ? '/api/requests?tool=none' : '/api/requests.csv?tool=none';
        assert.deepEqual(await search(path), [503, 'requests_too_slow'], `${n} ${path}`);
      }
      for (const path of ['/api/requests', '/api/requests.csv'])
        assert.deepEqual(await search(path), [429, 'too_many_attempts'], path);
    } finally {
      db.readBounded = readBounded;
    }
    assert.equal((await list(other.owner)).requests.length, 0, 'another account goes on');
    clock.advance(10 * MINUTE);
    assert.equal((await list(one.owner, '?tool=none')).requests.length, 0);
    assert.equal((await list(one.owner)).requests.length, 1);
  });

  it('of a flood of refused calls, a number is kept a minute, and the others are one row that counts them', async () => {
    const { tool, owner } = await person(0);
    const rows = () =>
      server().db.read.selectFrom('request').select(['id', 'times']).where('account_id', '=', tool.accountId).execute();
    // From the beginning of a minute on.
    server().clock.advance(MINUTE - (server().clock.now() % MINUTE));
    const sent = KEPT_A_MINUTE + 25;
    const ids: string[] = [];
    for (let n = 0; n < sent; n++) ids.push((await tool.send('{')).headers.get('x-request-id')!);
    await list(owner);
    assert.equal((await rows()).length, KEPT_A_MINUTE);
    server().clock.advance(MINUTE);
    await list(owner);
    const kept = await rows();
    assert.equal(kept.length, KEPT_A_MINUTE + 1);
    assert.equal(
      kept.reduce((sum, { times }) => sum + times, 0),
      sent,
    );
    // A call that was admitted is kept whatever else came.
    assert.equal((await one(owner, ids[KEPT_A_MINUTE]!)).body.times, 25);
    const last = await tool.send('{');
    assert.equal((await one(owner, last.headers.get('x-request-id')!)).status, 200, 'a new minute');
  });

  it('has no key that was pasted as the name of a model or a tool', async () => {
    const { tool, owner } = await person();
    const foreign = `sk-${'aB3'.repeat(15)}`;
    for (const key of [tool.secret, foreign, `ghp_${'x9Y'.repeat(12)}`, 'AKIAIOSFODNN7EXAMPLE'])
      await tool.send({ ...CHAT, model: key }, { 'user-agent': key });
    const { requests } = await list(owner);
    assert.deepEqual(
      requests.map(({ asked, tool }) => [asked, tool]),
      [
        ['AKIA…', 'AKIA'],
        ['ghp_…', 'ghp_'],
        ['sk-…', 'sk-'],
        ['pgk_…', 'pgk_'],
      ],
    );
    const names = ['sk-model', 'gpt-oss-120b', 'claude-sonnet-4-5-20250929'];
    for (const model of names) await tool.send({ ...CHAT, model });
    assert.deepEqual((await list(owner, '?limit=3')).requests.map(({ asked }) => asked).reverse(), names);
  });

  it('has no text, no header and no address of a stranger', async () => {
    const { tool, owner } = await person();
    const secret = 'do-not-keep-me';
    const headers = { 'user-agent': `tool (${secret})`, 'x-client-request-id': secret, referer: secret };
    server().double.script({ text: secret });
    await tool.send({ ...CHAT, user: secret, messages: [{ role: 'user', content: secret }] }, headers);
    await tool.send({ ...CHAT, messages: secret }, headers);
    await tool.send(CHAT, headers, `/v1/${secret}?q=${secret}`);
    await list(owner);
    const rows = await server()
      .db.read.selectFrom('request')
      .selectAll()
      .where('account_id', '=', tool.accountId)
      .execute();
    assert.equal(rows.length, 3);
    assert.ok(!JSON.stringify(rows).includes(secret), JSON.stringify(rows));
  });
});
