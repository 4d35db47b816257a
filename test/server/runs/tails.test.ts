import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { purgeEvents } from '../../../server/gateway/runs/runs.ts';
import { endOf, textOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';

const PIECES = Array.from({ length: 60 }, (_, n) => `word${n} `);
const WHOLE = PIECES.join('');

onBothEngines('a tail', (server) => {
  it('shows each event once and in order from wherever it starts, while the run goes on and after its end', async () => {
    const guest = await server().guest();
    const gate = server().double.script({ pieces: PIECES, gateAt: 30 });
    const request = guest.chat('count to sixty');
    await guest.start(request);
    await gate.atGate;
    const early = [0, 1, 7, 29].map((after) => guest.events(request.id, after));
    gate.open();
    const all = await guest.events(request.id);
    assert.equal(textOf(all), WHOLE);
    assert.deepEqual(
      all.map((e) => e.seq),
      all.map((_, i) => i + 1),
    );
    for (const [i, events] of (await Promise.all(early)).entries())
      assert.deepEqual(events, all.slice([0, 1, 7, 29][i]), 'a tail that joined in the middle sees the same');
    for (const after of [0, 1, 13, 59, all.length - 1])
      assert.deepEqual(await guest.events(request.id, after), all.slice(after), `after ${after}`);
  });

  // Guard: insertEvents takes the same events again.
  it('shows an answer whole whose events were stored without a word of it, because the connection broke', async () => {
    const { db, double } = server();
    const guest = await server().guest();
    const gate = double.script({ pieces: PIECES, gateAt: 30 });
    const request = guest.chat('count to sixty');
    const { writeLeases } = db;
    let lost = () => {};
    const isLost = new Promise<void>((resolve) => (lost = resolve));
    let losing = true;
    db.writeLeases = async (work) => {
      const value = await writeLeases(work);
      const query = db.read.selectFrom('run_event').select('last_seq').where('run_id', '=', request.id);
      if (!losing || !(await query.executeTakeFirst())) return value;
      losing = false;
      lost();
      throw new Error('Connection terminated unexpectedly');
    };
    try {
      await guest.start(request);
      await gate.atGate;
      await isLost;
      gate.open();
      const events = await guest.events(request.id);
      assert.equal(textOf(events), WHOLE);
      assert.equal((endOf(events).data as { state?: string }).state, 'complete');
      assert.deepEqual(await guest.events(request.id), events);
    } finally {
      db.writeLeases = writeLeases;
    }
  });

  it('takes Last-Event-ID, which an interrupted reader sends, over the query', async () => {
    const guest = await server().guest();
    const request = guest.chat('hi');
    const all = await guest.run(request);
    const resumed = await guest.request<string>('GET', `/api/runs/${request.id}/events?after=0`, undefined, {
      'last-event-id': String(all.length - 1),
    });
    assert.match(resumed.body, new RegExp(`^id: ${all.length}\nevent: done\n`));
    assert.match(resumed.headers.get('content-type') ?? '', /text\/event-stream/);
  });

  it('closes at once for a reader that has had the terminal event', async () => {
    const guest = await server().guest();
    const request = guest.chat('hi');
    const all = await guest.run(request);
    assert.deepEqual(await guest.events(request.id, all.length), []);
  });

  it('replays a run from its message once its events are deleted, an hour after its end', async () => {
    const guest = await server().guest();
    const request = guest.chat('hi');
    const all = await guest.run(request);
    const { db, clock } = server();
    await db.write((tx) => purgeEvents(tx, clock.now() + 1));
    const replayed = await guest.events(request.id);
    assert.equal(textOf(replayed), textOf(all));
    assert.deepEqual(endOf(replayed).data, endOf(all).data);
    const middle = await guest.events(request.id, 2);
    assert.equal(
      textOf([...all.slice(0, 2), ...middle]),
      textOf(all),
      'a reader with a part of it ends with the whole',
    );
  });

  it('replays that an answer ended at its length limit', async () => {
    const guest = await server().guest();
    server().double.script({ text: 'Cut', finish: 'length' });
    const request = guest.chat('hi');
    const live = endOf(await guest.run(request));
    assert.equal(live.type === 'done' && live.data.cutShort, true);
    await server().db.write((tx) => purgeEvents(tx, server().clock.now() + 1));
    assert.deepEqual(endOf(await guest.events(request.id)).data, live.data);
  });

  it('serves many readers of one run', async () => {
    const guest = await server().guest();
    const gate = server().double.script({ pieces: PIECES, gateAt: 1 });
    const request = guest.chat('many');
    await guest.start(request);
    await gate.atGate;
    const readers = Array.from({ length: 20 }, () => guest.events(request.id));
    gate.open();
    for (const events of await Promise.all(readers)) assert.equal(textOf(events), WHOLE);
  });

  it('is refused for a run of another account as if there were none', async () => {
    const owner = await server().guest();
    const stranger = await server().guest();
    const request = owner.chat('mine');
    await owner.run(request);
    for (const [method, path, body] of [
      ['GET', `/api/runs/${request.id}`],
      ['GET', `/api/runs/${request.id}/events`],
      ['POST', `/api/runs/${request.id}/stop`],
      ['POST', `/api/runs/${request.id}/outcome`, { applied: 1, refused: 0 }],
      ['GET', `/api/conversations/${request.conversationId}`],
      ['GET', `/api/conversations/${request.conversationId}/export`],
      ['PATCH', `/api/conversations/${request.conversationId}`, { title: 'yours' }],
      ['DELETE', `/api/conversations/${request.conversationId}`],
    ] as const) {
      const theirs = await stranger.request(method, path, body);
      const nobodys = await stranger.request(method, path.replace(/[0-9a-f-]{36}/, randomUUID()), body);
      assert.equal(theirs.status, 404, `${method} ${path}`);
      assert.deepEqual([theirs.body.code, theirs.body.detail], [nobodys.body.code, nobodys.body.detail]);
    }
    const into = await stranger.start(stranger.chat('hello', { conversationId: request.conversationId }));
    assert.deepEqual([into.status, into.body.code], [404, 'not_found']);
    assert.equal((await owner.conversation(request.conversationId)).body.messages.length, 2);
  });
});

onBothEngines('account events', (server) => {
  it('tell every device of the account of each charge and each change of a conversation, and nobody else', async () => {
    const guest = await server().guest();
    const stranger = await server().guest();
    const [here, there, foreign] = await Promise.all([guest.changes(), guest.changes(), stranger.changes()]);
    const request = guest.chat('spend');
    await guest.run(request);
    for (const device of [here, there]) {
      await device.next((topic) => topic === 'balance');
      await device.next((topic, id) => topic === 'conversation' && id === request.conversationId);
    }
    await guest.request('PATCH', `/api/conversations/${request.conversationId}`, { title: 'Renamed' });
    await there.next((topic, id) => topic === 'conversation' && id === request.conversationId);
    await stranger.run(stranger.chat('own'));
    await foreign.next((topic, id) => {
      assert.notEqual(id, request.conversationId);
      return topic === 'balance' && id === stranger.accountId;
    });
    for (const each of [here, there, foreign]) each.close();
  });
});
