import assert from 'node:assert/strict';
import { runAdmin } from '../../support/admin.ts';
import { Client } from '../../support/client.ts';
import { type AtDesk, atDesk, newReviewer, openCase, openDesk, type PageClient, pageOf } from '../../support/desk.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

// Who gets past the door of each route of the desk.

interface Row {
  body?: unknown;
  /** The answer to a reviewer at the open desk: past the door. Some find what they ask for missing or wrong. */
  atDesk: string;
  /** The answer to a reviewer whose desk is closed; by default the door. */
  closed?: string;
  /** The answer to everybody: the route has no door. */
  everybody?: string;
}

/** Every route under `/api/desk`, and the one of the public numbers, which are not shown here. A new one needs a row here. `NUMBER` is a case that is open. */
const ROUTES: Record<string, Row> = {
  'GET /api/desk': { atDesk: '200', closed: '200' },
  'POST /api/desk/factor': {
    body: { setupCode: 'AAAAA-AAAAA-AAAAA-AAAAA-AAAAA' },
    atDesk: '403 setup_code_wrong',
    closed: '403 setup_code_wrong',
  },
  'POST /api/desk/session': { body: { code: '000 000' }, atDesk: '403 code_wrong' },
  'GET /api/desk/cases': { atDesk: '200' },
  'GET /api/desk/cases/:number': { atDesk: '200' },
  'POST /api/desk/cases/:number/second': { body: { kind: 'warn', why: 'Because.' }, atDesk: '409 not_to_decide' },
  'POST /api/desk/cases/:number/decisions': {
    body: { step: 9, kind: 'warn', why: 'Because.' },
    atDesk: '400 invalid_request',
  },
  'POST /api/desk/cases/:number/appeal': { body: { outcome: 'upheld', why: 'Because.' }, atDesk: '409 not_to_decide' },
  'GET /api/desk/cases/:number/pictures/:id': { atDesk: '404 not_found' },
  'GET /api/desk/trail': { atDesk: '200' },
  'GET /api/desk/numbers': { atDesk: '200' },
  'POST /api/desk/pause': { body: { why: 'Looking into it.' }, atDesk: '200' },
  'DELETE /api/desk/pause': { atDesk: '200' },
  'GET /api/fair-use': { everybody: '404 not_offered', atDesk: '404 not_offered' },
  // The last, because it closes the desk.
  'DELETE /api/desk/session': { atDesk: '204', closed: '204' },
};
class Nobody extends Client {
  override async credentials(): Promise<Record<string, string>> {
    return {};
  }
}

const CLOSED = '403 second_factor_required';

onBothEnginesWithSignIn('the door of the desk', (world) => {
  const server = () => world().server();
  const routed = () =>
    server()
      .app.routes.filter(({ method, path }) => method !== 'ALL' && /^\/api\/(desk|fair-use)(\/|$)/.test(path))
      .map(({ method, path }) => `${method} ${path}`);
  let number = 0;
  let atTheDesk: AtDesk;
  let member: PageClient;
  let withoutFactor: PageClient;
  before(async () => {
    const somebodysElse = (await world().signIn(somebody())).member;
    number = await openCase(server(), somebodysElse.accountId);
    atTheDesk = await atDesk(world());
    member = await pageOf(server(), (await world().signIn(somebody())).member);
    withoutFactor = (await newReviewer(world())).page;
  });

  async function ask(client: Client, route: string, headers = {}): Promise<string> {
    const [method, path] = route.split(' ') as [string, string];
    const there = path.replace(':number', String(number)).replace(/:\w+/g, crypto.randomUUID());
    const { status, body } = await client.request(method, there, ROUTES[route]!.body, headers);
    return status < 400 ? String(status) : `${status} ${body.code}`;
  }
  async function table(client: Client, headers = {}): Promise<Record<string, string>> {
    const answers: Record<string, string> = {};
    for (const route of Object.keys(ROUTES)) answers[route] = await ask(client, route, headers);
    return answers;
  }
  const expected = (answer: (row: Row) => string) =>
    Object.fromEntries(Object.entries(ROUTES).map(([route, row]) => [route, row.everybody ?? answer(row)]));
  const everywhere = (answer: string) => expected(() => answer);

  it('stands before every route that there is', () => {
    assert.deepEqual([...new Set(routed())].sort(), Object.keys(ROUTES).sort());
  });

  it('is 401 without a token', async () => {
    assert.deepEqual(await table(new Nobody(server().url, '', '')), everywhere('401 unauthorized'));
  });

  it('is 404 to a guest and to a member, as any address that there is not', async () => {
    assert.deepEqual(await table(await server().guest()), everywhere('404 not_found'));
    assert.deepEqual(await table(member), everywhere('404 not_found'));
    assert.deepEqual(await table(member.near()), everywhere('404 not_found'));
    const at = async (path: string) => (await member.request('GET', path)).body.detail;
    assert.equal(await at('/api/desk/cases'), 'There is nothing at GET /api/desk/cases.');
    assert.equal(await at('/api/dusk/cases'), 'There is nothing at GET /api/dusk/cases.');
  });

  it('lets a reviewer without a second factor do nothing but set one up', async () => {
    assert.deepEqual(
      await table(withoutFactor),
      expected(({ closed = CLOSED }) => closed),
    );
  });

  it('lets a reviewer in', async () => {
    assert.deepEqual(
      await table(atTheDesk.page),
      expected((row) => row.atDesk),
    );
    assert.equal(await ask(atTheDesk.page, 'GET /api/desk/cases'), CLOSED, 'it was left at the end');
  });

  it('knows no device’s token, of a reviewer either', async () => {
    await openDesk(world(), atTheDesk);
    assert.deepEqual(await table(atTheDesk.member), everywhere('404 not_found'));
  });

  it('knows no API key', async () => {
    const { lines } = await runAdmin(server(), 'key', atTheDesk.email, '--name', 'a tool');
    const key = /pgk_\w+/.exec(lines.join(' '))![0];
    for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }])
      for (const [route, answer] of Object.entries(await table(atTheDesk.page, headers)))
        assert.equal(answer, '403 key_elsewhere', route);
  });

  it('takes nothing from another site’s page', async () => {
    for (const route of Object.keys(ROUTES).filter((one) => !one.startsWith('GET')))
      assert.equal(await ask(atTheDesk.page, route, { 'sec-fetch-site': 'cross-site' }), '403 foreign_page');
  });

  it('closes in the middle of a session for who is no reviewer any more', async () => {
    assert.equal(await ask(atTheDesk.page, 'GET /api/desk/cases'), '200');
    await runAdmin(server(), 'reviewer', atTheDesk.email, '--end');
    assert.deepEqual(await table(atTheDesk.page), everywhere('404 not_found'));
    assert.deepEqual(await table(atTheDesk.page.near()), everywhere('404 not_found'));
  });

  it('closes for who is suspended, and opens again afterwards', async () => {
    const suspended = await atDesk(world());
    await runAdmin(server(), 'suspend', suspended.email, '--why', 'A look at it.');
    assert.deepEqual(await table(suspended.page), everywhere('404 not_found'));
    await runAdmin(server(), 'reinstate', suspended.email);
    assert.equal(await ask(suspended.page, 'GET /api/desk/cases'), '200');
  });

  it('closes with the browser’s session', async () => {
    const leaving = await atDesk(world());
    await leaving.page.request('POST', '/api/auth/sign-out');
    assert.deepEqual(await table(leaving.page), everywhere('401 unauthorized'));
  });
});
