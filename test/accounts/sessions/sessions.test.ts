import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { SessionsAnswer, TokenAnswer } from '../../../shared/auth.ts';
import { Browser } from '../../support/browser.ts';
import { Client } from '../../support/client.ts';
import { Editor, InstallKey, Member } from '../../support/member.ts';
import { freshDatabase, startServer } from '../../support/server.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

/** A stream that was told nothing looks by itself so often: what is faster was told. */
const HEARTBEAT_MS = 15_000;

const DAY = 24 * 3_600_000;
const list = async (member: Client) => (await member.request<SessionsAnswer>('GET', '/api/sessions')).body.sessions;

onBothEnginesWithSignIn('a session', (world) => {
  /** The same person on two editors. */
  async function two() {
    const person = somebody();
    return { person, laptop: (await world().signIn(person)).member, desktop: (await world().signIn(person)).member };
  }
  const refresh = (member: Member) => member.request<TokenAnswer>('POST', '/api/auth/refresh');

  it('is listed with its name, its tool and its times, the one that asks marked', async () => {
    const { laptop } = await two();
    const sessions = await list(laptop);
    assert.equal(sessions.length, 2);
    for (const session of sessions) {
      assert.deepEqual([session.kind, session.name, session.tool], ['device', 'a laptop', 'Visual Studio Code']);
      assert.ok(Date.parse(session.createdAt) <= Date.parse(session.lastUsedAt));
    }
    assert.equal(sessions.filter(({ current }) => current).length, 1);
  });

  it('ended from another device ends its streams at once, and its token is worth nothing', async () => {
    const { laptop, desktop } = await two();
    world()
      .server()
      .double.script({ pieces: ['One ', 'two '], gateAt: 1, end: 'hang' });
    const request = desktop.chat('go on');
    await desktop.start(request);
    const changes = await desktop.changes();
    const tail = desktop.events(request.id).catch(() => 'cut');
    const heard = await laptop.changes();
    const other = (await list(laptop)).find(({ current }) => !current)!;
    const begun = performance.now();
    assert.equal((await laptop.request('DELETE', `/api/sessions/${other.id}`)).status, 204);
    await Promise.all([changes.ended, tail]);
    const tookMs = performance.now() - begun;
    assert.ok(tookMs < HEARTBEAT_MS, `${tookMs} ms`);
    await heard.next((topic) => topic === 'sessions');
    heard.close();
    assert.equal((await desktop.account()).status, 401);
    assert.equal((await list(laptop)).length, 1);
    await laptop.stop(request.id);
    await laptop.events(request.id);
  });

  it('that signs out ends at once, and only that', async () => {
    const { laptop, desktop } = await two();
    const changes = await desktop.changes();
    assert.equal((await desktop.request('POST', '/api/auth/sign-out')).status, 204);
    await changes.ended;
    assert.equal((await desktop.account()).status, 401);
    assert.equal((await laptop.account()).status, 200);
  });

  it('of somebody else is not found, whether it exists or not', async () => {
    const { laptop } = await two();
    const stranger = (await world().signIn(somebody())).member;
    const own = (await list(laptop))[0]!;
    for (const id of [own.id, randomUUID()]) {
      const { status, body } = await stranger.request('DELETE', `/api/sessions/${id}`);
      assert.deepEqual(
        [status, body.code, body.detail],
        [404, 'not_found', 'There is no such session in your account.'],
      );
    }
    assert.equal((await list(laptop)).length, 2);
  });

  it('is refreshed by any of several windows that share its token, and none signs the others out', async () => {
    const { member } = await world().signIn(somebody());
    const windows = await Promise.all([refresh(member), refresh(member), refresh(member)]);
    const tokens = windows.map(({ body }) => body.access_token);
    assert.deepEqual(
      windows.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(new Set([member.token, ...tokens]).size, 4);
    for (const token of [member.token, ...tokens])
      assert.equal((await new Member(member.url, token, member.accountId, member.key).account()).status, 200);
    assert.equal((await list(member)).length, 1, 'it is one session');
  });

  it('keeps the token before for 10 minutes, and the new one for 30 days', async () => {
    const key = new InstallKey(() => world().server().clock.now());
    const { member } = await world().signIn(somebody(), { editor: new Editor(world().server().url, key) });
    const fresh = (await refresh(member)).body.access_token;
    const next = new Member(member.url, fresh, member.accountId, key);
    world()
      .server()
      .clock.advance(10 * 60_000);
    assert.equal((await member.account()).status, 401);
    assert.equal((await refresh(member)).status, 401);
    assert.equal((await next.account()).status, 200);
    world()
      .server()
      .clock.advance(30 * DAY);
    assert.equal((await next.account()).status, 401);
  });

  it('of a guest is a bearer’s, and has no end', async () => {
    const guest = await world().server().guest();
    world()
      .server()
      .clock.advance(400 * DAY);
    assert.equal((await guest.account()).status, 200);
    assert.equal((await guest.request('POST', '/api/auth/refresh')).body.code, 'invalid_request');
  });
});

onBothEnginesWithSignIn('a token that is bound to a key', (world) => {
  const get = (headers: Record<string, string>, path = '/api/account') =>
    fetch(world().server().url + path, { headers });
  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

  it('is refused as a bearer’s, and without a proof', async () => {
    const { member } = await world().signIn(somebody());
    const bearer = await get({ authorization: `Bearer ${member.token}` });
    assert.deepEqual([bearer.status, await codeOf(bearer)], [401, 'unauthorized']);
    assert.match(bearer.headers.get('www-authenticate')!, /DPoP algs="ES256"/);
    const bare = await get({ authorization: `DPoP ${member.token}` });
    assert.deepEqual([bare.status, await codeOf(bare)], [401, 'invalid_dpop_proof']);
    assert.match(bare.headers.get('www-authenticate')!, /^DPoP error="invalid_dpop_proof"/);
  });

  it('that was stolen is refused with the thief’s own key', async () => {
    const { member } = await world().signIn(somebody());
    const thief = new Member(member.url, member.token, member.accountId, new InstallKey());
    const { status, body } = await thief.account();
    assert.deepEqual([status, body.code], [401, 'invalid_dpop_proof']);
  });

  it('that was stolen together with a proof is refused anywhere else, and a second time', async () => {
    const { member } = await world().signIn(somebody());
    const url = `${member.url}/api/account`;
    const dpop = await member.key.prove({ method: 'GET', url, token: member.token });
    const stolen = { authorization: `DPoP ${member.token}`, dpop };
    assert.equal((await get(stolen, '/api/sessions')).status, 401);
    assert.equal((await get(stolen)).status, 200);
    const again = await get(stolen);
    assert.deepEqual([again.status, await codeOf(again)], [401, 'invalid_dpop_proof']);
  });

  it('is refused with a proof of its own key for the token of another account', async () => {
    const one = (await world().signIn(somebody())).member;
    const other = (await world().signIn(somebody())).member;
    const dpop = await one.key.prove({ method: 'GET', url: `${one.url}/api/account`, token: one.token });
    assert.equal((await get({ authorization: `DPoP ${other.token}`, dpop })).status, 401);
  });

  it('is told from a guest’s, which is bound to none', async () => {
    const guest = await world().server().guest();
    const dpop = await new InstallKey().prove({ method: 'GET', url: `${guest.url}/api/account`, token: guest.token });
    assert.equal((await get({ authorization: `DPoP ${guest.token}`, dpop })).status, 401);
  });

  it('is refused if a letter of it is another', async () => {
    const { member } = await world().signIn(somebody());
    const forged = (member.token[0] === 'A' ? 'B' : 'A') + member.token.slice(1);
    assert.equal((await new Member(member.url, forged, member.accountId, member.key).account()).status, 401);
  });

  it('is stored as a hash alone', async () => {
    const { member } = await world().signIn(somebody());
    const rows = await world().server().db.read.selectFrom('token').selectAll().execute();
    assert.ok(rows.every((row) => /^[0-9a-f]{64}$/.test(row.token_hash)));
    assert.ok(!JSON.stringify(rows).includes(member.token));
  });

  it('finds nothing that is another account’s: 404 and not 403', async () => {
    const owner = (await world().signIn(somebody())).member;
    const request = owner.chat('mine');
    await owner.run(request);
    const stranger = (await world().signIn(somebody())).member;
    for (const [method, path] of [
      ['GET', `/api/conversations/${request.conversationId}`],
      ['DELETE', `/api/conversations/${request.conversationId}`],
      ['GET', `/api/runs/${request.id}`],
      ['GET', `/api/runs/${request.id}/events`],
      ['POST', `/api/runs/${request.id}/stop`],
    ] as const)
      assert.equal((await stranger.request(method, path)).status, 404, path);
  });
});

onBothEnginesWithSignIn('a suspended account', (world) => {
  it('gets no answers and reads why and until when; everything else it may', async () => {
    const { member } = await world().signIn(somebody());
    const { db, clock } = world().server();
    const last = member.chat('hello again');
    const since = clock.now();
    const until = since + DAY;
    await db.write((tx) =>
      tx
        .updateTable('account')
        .set({ suspended_at: since, suspended_until: until, suspended_why: 'Its access was resold.' })
        .where('id', '=', member.accountId)
        .execute(),
    );
    const { account } = (await member.account()).body;
    assert.deepEqual(account.suspended, {
      since: new Date(since).toISOString(),
      why: 'Its access was resold.',
      until: new Date(until).toISOString(),
    });
    const refused = await member.start(member.chat('hello'));
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.until],
      [403, 'suspended', account.suspended!.until],
    );
    assert.match(refused.body.detail, /Its access was resold\..*Nothing was started/);
    assert.equal((await member.conversations()).status, 200);
    clock.advance(DAY);
    assert.equal((await member.start(last)).status, 202);
    await member.events(last.id);
  });
});

describe('two nodes on one PostgreSQL', () => {
  it('know of each other’s ended sessions: a stream on one closes when the other ends it', async function () {
    this.timeout(60_000);
    const { url, remove } = await freshDatabase('postgres');
    const one = await startServer('postgres', { databaseUrl: url });
    const other = await startServer('postgres', { databaseUrl: url, double: one.double });
    try {
      const guest = await one.guest();
      const there = new Client(other.url, guest.token, guest.accountId);
      const changes = await there.changes();
      const [session] = await list(guest);
      const begun = performance.now();
      assert.equal((await guest.request('DELETE', `/api/sessions/${session!.id}`)).status, 204);
      await changes.ended;
      assert.ok(performance.now() - begun < HEARTBEAT_MS);
      assert.equal((await there.account()).status, 401);
    } finally {
      await other.stop();
      await one.stop();
      await remove();
    }
  });
});

describe('the member’s page', () => {
  it('has cookies that are kept to https, to this host and from scripts, off loopback', async () => {
    const server = await startServer('sqlite', {
      env: { PUBLIC_URL: 'https://perigee.example' },
      config: (config) => {
        config.signIn = { providers: [], mail: { url: 'console:', from: 'a@b.example' }, local: false };
      },
    });
    try {
      const browser = new Browser();
      await browser.request(new URL(`${server.url}/sign-in`));
      assert.equal(browser.cookiesSet.length, 1);
      assert.match(browser.cookiesSet[0]!, /^__Host-perigee_flow_[\w-]{12}=/);
      for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax', 'Path=/'])
        assert.ok(browser.cookiesSet[0]!.includes(attribute), attribute);
    } finally {
      await server.stop();
    }
  });
});
