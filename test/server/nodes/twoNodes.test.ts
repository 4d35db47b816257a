import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { Client, endOf, textOf } from '../../support/client.ts';
import '../../support/engines.ts';
import { at, auditAfter, DAY_MS, MUCH_ALLOWED, memoryOf, Nodes, query } from '../../support/nodes.ts';
import { freshDatabase, type ServerProcess } from '../../support/server.ts';

const leaseOf = async (url: string, id: string) =>
  (
    await query<{ state: string; lease_until: string }>(url, 'select state, lease_until from run where id = $1', [id])
  )[0]!;

describe('two nodes whose machines disagree on the time', function () {
  this.timeout(60_000);
  let nodes: Nodes;
  let ahead: ServerProcess;
  let behind: ServerProcess;
  before(async () => {
    const limits = { ...MUCH_ALLOWED.limits, guest: { ...MUCH_ALLOWED.limits.guest, requestsPerMinute: 4 } };
    const policy = { ...MUCH_ALLOWED, limits, guests: { ...MUCH_ALLOWED.guests, messages: 10 } };
    nodes = await Nodes.on((await freshDatabase('postgres')).url, policy);
    [ahead, behind] = await Promise.all([nodes.start({ clockMs: DAY_MS }), nodes.start({ clockMs: -60_000 })]);
  });
  after(() => nodes.end());
  beforeEach(() => nodes.double.usually({ text: 'An answer.' }));

  // Guard: LiveRuns renews and RecoveryWatch judges leases by db.clock.
  it('keep each other’s running answers, and when one is killed, the other ends its answer uncharged and the user goes on there', async () => {
    for (const [owner, other] of [
      [behind, ahead],
      [ahead, behind],
    ] as const) {
      const here = await Client.guest(owner.url);
      const there = at(other, here);
      const gate = nodes.double.script({ when: 'A story', pieces: ['Once ', 'upon ', 'a time'], gateAt: 2 });
      const request = here.chat('A story');
      assert.equal((await here.start(request)).status, 202);
      await gate.atGate;
      const reading = there.events(request.id);
      await there.events(request.id, 0, (e) => e.type === 'text' && e.data.text.includes('upon'));
      assert.equal(await there.available(), 9 * MICRO_PER_CREDIT, 'it is held');
      // Three renewals: more than a lease, in which the other node has looked many times.
      for (let renewed = 0, last = ''; renewed < 4; ) {
        const { state, lease_until } = await leaseOf(nodes.databaseUrl, request.id);
        assert.equal(state, 'running');
        if (lease_until !== last) renewed++;
        last = lease_until;
      }
      if (owner === behind) {
        gate.open();
        const end = endOf(await reading);
        assert.equal(end.type === 'done' && end.data.state, 'complete');
        continue;
      }
      await owner.kill();
      const events = await reading;
      const end = endOf(events);
      assert.equal(textOf(events), 'Once upon ');
      assert.deepEqual(end.type === 'done' && [end.data.state, end.data.chargedMicro, end.data.reason], [
        'interrupted',
        0,
        'interrupted',
      ]);
      assert.equal(await there.available(), 10 * MICRO_PER_CREDIT);
      const { conversationId } = request;
      nodes.double.script({ text: 'a time.' });
      const next = endOf(await there.run(there.chat('', { conversationId, continues: request.id })));
      assert.equal(next.type === 'done' && next.data.state, 'complete');
      assert.equal(await there.available(), 9 * MICRO_PER_CREDIT);
      ahead = await nodes.start({ clockMs: DAY_MS });
    }
  });

  it('count requests in one window, and say the same wait', async () => {
    const here = await Client.guest(ahead.url);
    const there = at(behind, here);
    for (const client of [here, there, here, there]) await client.run(client.chat('one'));
    for (const client of [here, there]) {
      const refused = await client.start(client.chat('one too many'));
      assert.deepEqual([refused.status, refused.body.code], [429, 'rate_limited']);
      const waitS = Number(refused.headers.get('retry-after'));
      assert.ok(waitS > 30 && waitS <= 60, `wait ${waitS} s`);
      const untilMs = Date.parse(refused.body.retryAt!) - Date.now();
      assert.ok(untilMs > 0 && untilMs <= 60_000, `until ${refused.body.retryAt}`);
    }
  });

  it('tell the shared time in the Date header, by which editors sign', async () => {
    for (const node of [ahead, behind]) {
      const { headers } = await fetch(`${node.url}/api/account`);
      assert.ok(Math.abs(Date.parse(headers.get('date')!) - Date.now()) < 5_000, headers.get('date')!);
    }
  });

  it('number what they store by the shared time, and leave books that hold', async () => {
    const rows = await query<{ id: string }>(nodes.databaseUrl, 'select id from run');
    for (const { id } of rows) assert.ok(id);
    const holds = await query<{ id: string; created_at: string }>(nodes.databaseUrl, 'select id from hold');
    for (const { id } of holds) {
      const ms = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
      assert.ok(Math.abs(ms - Date.now()) < 120_000, 'an id begins with its time');
    }
    assert.deepEqual(await auditAfter(nodes.databaseUrl), []);
  });
});

describe('many readers of one answer', function () {
  this.timeout(60_000);
  let nodes: Nodes;
  let one: ServerProcess;
  let two: ServerProcess;
  before(async () => {
    const models = [{ id: 'double', contextTokens: 1e7, maxOutputTokens: 5e6 }];
    const guests = { ...MUCH_ALLOWED.guests, maxInputTokens: 1e6, maxOutputTokens: 5e6 };
    nodes = await Nodes.on(
      (await freshDatabase('postgres')).url,
      { ...MUCH_ALLOWED, models, guests },
      { LEASE_MS: '15000' },
    );
    [one, two] = await Promise.all([nodes.start(), nodes.start()]);
  });
  after(() => nodes.end());

  it('1,000 tails at two nodes all show it whole, and none holds it up', async () => {
    const guest = await Client.guest(one.url);
    const pieces = Array.from({ length: 64 }, (_, n) => `word${n} `);
    const gate = nodes.double.script({ pieces, everyMs: 10, gateAt: 1 });
    const request = guest.chat('for many');
    await guest.start(request);
    await gate.atGate;
    const agent = new http.Agent({ maxSockets: Number.POSITIVE_INFINITY });
    const tails = Array.from({ length: 1000 }, (_, n) => tail(n % 2 ? one : two, guest, request.id, agent));
    await Promise.all(tails.map(({ opened }) => opened));
    const began = performance.now();
    gate.open();
    await gate.ended;
    const saidMs = performance.now() - began;
    const texts = await Promise.all(tails.map(({ text }) => text));
    const readMs = performance.now() - began;
    agent.destroy();
    console.log(
      `        the model took ${saidMs.toFixed(0)} ms, and the last of 1,000 readers had it after ${readMs.toFixed(0)} ms`,
    );
    assert.equal(new Set(texts).size, 1);
    assert.match(texts[0]!, /\nevent: done\ndata: .*"complete".*\n\n$/);
    const seen = [...texts[0]!.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq));
    assert.deepEqual(
      seen,
      seen.map((_, i) => i + 1),
    );
  });

  // Guard: writePiece waits for room before a tail reads on, and forgets what it has sent.
  it('readers that never read take no memory and hold up neither the answer nor other readers', async () => {
    const guest = await Client.guest(one.url);
    const piece = `${'x'.repeat(16 * 1024)} `;
    const gate = nodes.double.script({ pieces: Array.from({ length: 800 }, () => piece), gateAt: 1 });
    const request = guest.chat('a long one');
    await guest.start(request);
    await gate.atGate;
    const deaf = await Promise.all(
      Array.from({ length: 40 }, (_, n) => deafTail(n % 2 ? one : two, guest, request.id)),
    );
    const before = [one, two].map(({ pid }) => memoryOf(pid));
    const reading = at(two, guest).events(request.id);
    gate.open();
    const events = await reading;
    const end = endOf(events);
    assert.equal(end.type === 'done' && end.data.state, 'complete');
    assert.equal(textOf(events).length, 800 * piece.length);
    const grownMb = [one, two].map(({ pid }, i) => memoryOf(pid) - before[i]!);
    console.log(
      `        13 MB to 40 readers that never read: ${grownMb.map((mb) => mb.toFixed(0)).join(' and ')} MB more`,
    );
    // Each node has 20: if it kept the answer for each, 260 MB.
    for (const mb of grownMb) assert.ok(mb < 200, `${mb} MB`);
    for (const socket of deaf) socket.destroy();
  });
});

/** Reads a run's events as they are on the wire. */
function tail(node: ServerProcess, guest: Client, runId: string, agent: http.Agent) {
  let opened = () => {};
  const isOpen = new Promise<void>((resolve) => (opened = resolve));
  const text = new Promise<string>((resolve, reject) => {
    const headers = { authorization: `Bearer ${guest.token}` };
    const asked = http.get(`${node.url}/api/runs/${runId}/events`, { agent, headers }, (response) => {
      let all = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        all += piece;
        opened();
      });
      // On a busy machine some readers have waited for a heartbeat.
      response.on('end', () => resolve(all.replaceAll(': still here\n\n', '')));
      response.on('error', reject);
    });
    asked.on('error', reject);
  });
  return { opened: isOpen, text };
}

/** Asks for a run's events and never reads what comes. */
async function deafTail(node: ServerProcess, guest: Client, runId: string): Promise<net.Socket> {
  const { hostname, port } = new URL(node.url);
  const socket = net.connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  socket.pause();
  const lines = [
    `GET /api/runs/${runId}/events HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    `Authorization: Bearer ${guest.token}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return socket;
}
