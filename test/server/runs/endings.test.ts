import assert from 'node:assert/strict';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { FAILURES, type Script } from '../../doubles/upstream.ts';
import { breakTable } from '../../support/broken.ts';
import { endOf, textOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import { upstreamOf } from '../../support/pieces.ts';

interface Ending {
  title: string;
  script: Script;
  /** What the terminal event says: the type, the state or code, and what a guest is charged, in messages. */
  ends: [type: 'done' | 'error', what: string, messages: number];
  text: string;
  cutShort?: true;
  reason?: string;
  detail?: RegExp;
}

const ENDINGS: Ending[] = [
  {
    title: 'an answer with its usage',
    script: { text: 'All is well.' },
    ends: ['done', 'complete', 1],
    text: 'All is well.',
  },
  {
    title: 'an answer at its length limit',
    script: { text: 'Cut off', finish: 'length' },
    ends: ['done', 'complete', 1],
    text: 'Cut off',
    cutShort: true,
  },
  {
    title: 'an answer that thinks until its length limit and says nothing is free',
    script: { pieces: [], finish: 'length' },
    ends: ['done', 'complete', 0],
    text: '',
    cutShort: true,
    reason: 'empty_answer',
  },
  {
    title: 'an answer without a usage block is charged and marked as estimated',
    script: { text: 'No usage.', usage: 'none' },
    ends: ['done', 'complete', 1],
    text: 'No usage.',
  },
  {
    title: 'a refusal for prohibited content is charged',
    script: FAILURES.refusal,
    ends: ['done', 'complete', 1],
    text: "I can't.",
  },
  {
    title: 'an answer of nothing is free',
    script: { pieces: [] },
    ends: ['done', 'complete', 0],
    text: '',
    reason: 'empty_answer',
  },
  {
    title: 'a stream that dies in the middle is free and keeps its text',
    script: FAILURES.diesInMiddle,
    ends: ['error', 'upstream_failed', 0],
    text: 'It was a dark ',
    reason: 'upstream_failed',
    detail: /kept/,
  },
  {
    title: 'a stream that ends without a finish is free',
    script: { pieces: ['Almost '], end: 'eof' },
    ends: ['error', 'upstream_failed', 0],
    text: 'Almost ',
    reason: 'upstream_failed',
  },
  {
    title: 'a stream that dies before the first token is free',
    script: { pieces: [], end: 'destroy' },
    ends: ['error', 'upstream_failed', 0],
    text: '',
    reason: 'upstream_failed',
  },
  {
    title: 'an error inside a stream is free, and its text is not output',
    script: { pieces: ['It '], end: 'error' },
    ends: ['error', 'upstream_failed', 0],
    text: 'It ',
    reason: 'upstream_failed',
  },
  {
    title: 'a malformed stream is free',
    script: FAILURES.malformed,
    ends: ['error', 'upstream_malformed', 0],
    text: 'It was ',
    reason: 'upstream_failed',
  },
  {
    title: 'a page instead of a stream is free',
    script: FAILURES.html,
    ends: ['error', 'upstream_malformed', 0],
    text: '',
    reason: 'upstream_failed',
  },
  {
    title: 'a busy service is free and says when to come again',
    script: FAILURES.busy('30'),
    ends: ['error', 'upstream_busy', 0],
    text: '',
    reason: 'upstream_failed',
  },
  {
    title: 'a refused key is free and names the operator',
    script: FAILURES.wrongKey,
    ends: ['error', 'upstream_refused', 0],
    text: '',
    reason: 'upstream_failed',
    detail: /operator/i,
  },
  {
    title: 'a model service that finds the text too long is free',
    script: FAILURES.tooLong,
    ends: ['error', 'context_too_long', 0],
    text: '',
    reason: 'upstream_failed',
  },
];

onBothEngines('how a run ends', (server) => {
  for (const { title, script, ends, text, cutShort, reason, detail } of ENDINGS)
    it(title, async () => {
      const guest = await server().guest();
      server().double.usually(script);
      const request = guest.chat('go');
      const events = await guest.run(request);
      const end = endOf(events);
      const [type, what, messages] = ends;
      assert.equal(textOf(events), text);
      assert.deepEqual(
        [end.type, end.type === 'done' ? end.data.state : end.data.code, end.data.chargedMicro],
        [type, what, messages * MICRO_PER_CREDIT],
      );
      if (detail && end.type === 'error') assert.match(end.data.detail, detail);
      assert.doesNotMatch(
        JSON.stringify(end.data),
        /127\.0\.0\.1|sk-|Incorrect API key/,
        'nothing of the service leaks',
      );
      const answer = (await guest.conversation(request.conversationId)).body.messages.at(-1)!;
      assert.deepEqual([answer.text, answer.reason], [text, reason]);
      assert.deepEqual([answer.cutShort, end.type === 'done' ? end.data.cutShort : undefined], [cutShort, cutShort]);
      assert.equal(answer.state, type === 'done' ? 'complete' : 'failed');
      if (type === 'error') assert.equal(answer.problem?.code, what);
      const [entry] = (await guest.log()).body.entries;
      assert.deepEqual([entry?.kind, entry?.reasonCode], [messages > 0 ? 'charge' : 'not_charged', reason]);
      assert.equal(await guest.available(), (10 - messages) * MICRO_PER_CREDIT);
    });

  it('says when to come again after a busy service', async () => {
    const guest = await server().guest();
    server().double.usually(FAILURES.busy('30'));
    const end = endOf(await guest.run(guest.chat('go')));
    assert.equal(end.type, 'error');
    const inMs = Date.parse((end.data as { retryAt: string }).retryAt) - Date.now();
    assert.ok(inMs > 20_000 && inMs <= 30_000, `in ${inMs} ms`);
  });

  it('is charged for what was produced when the user stops it, and tells so to every reader', async () => {
    const guest = await server().guest();
    const gate = server().double.script({ pieces: ['one ', 'two ', 'three '], gateAt: 2 });
    const request = guest.chat('count');
    await guest.start(request);
    const reader = guest.events(request.id);
    const other = guest.events(request.id, 1);
    await gate.atGate;
    await guest.events(request.id, 0, (e) => e.type === 'text' && e.data.text.includes('two'));
    assert.equal((await guest.stop(request.id)).status, 202);
    for (const events of [await reader, await other]) {
      const end = endOf(events);
      assert.deepEqual(end.type === 'done' && [end.data.state, end.data.chargedMicro], ['stopped', MICRO_PER_CREDIT]);
    }
    assert.equal(textOf(await guest.events(request.id)), 'one two ');
    assert.equal((await gate.ended).state, 'aborted', 'the model service is told to stop as well');
    assert.equal((await guest.stop(request.id)).body && (await guest.available()), 9 * MICRO_PER_CREDIT);
  });

  it('is free when the user stops it before the first word', async () => {
    const guest = await server().guest();
    const gate = server().double.script({ pieces: ['late '], gateAt: 0 });
    const request = guest.chat('never mind');
    await guest.start(request);
    await gate.atGate;
    await guest.stop(request.id);
    const end = endOf(await guest.events(request.id));
    assert.deepEqual(end.type === 'done' && [end.data.state, end.data.chargedMicro, end.data.reason], [
      'stopped',
      0,
      'stopped_before_output',
    ]);
  });

  it('is charged when its reader leaves: closing a connection stops nothing', async () => {
    const guest = await server().guest();
    const gate = server().double.script({ pieces: ['one ', 'two '], gateAt: 1 });
    const request = guest.chat('I leave');
    await guest.start(request);
    await gate.atGate;
    await guest.events(request.id, 0, () => true);
    gate.open();
    assert.equal((await gate.ended).state, 'complete');
    assert.equal(textOf(await guest.events(request.id)), 'one two ');
    assert.equal(await guest.available(), 9 * MICRO_PER_CREDIT);
  });

  it('is settled once the database lets it, when settling fails at first', async () => {
    const { db, double } = server();
    const guest = await server().guest();
    const gate = double.script({ pieces: ['one '], gateAt: 1 });
    const request = guest.chat('settle later');
    await guest.start(request);
    await gate.atGate;
    const mend = await breakTable(db, 'hold', 'update');
    gate.open();
    await gate.ended;
    const reading = guest.events(request.id);
    const stuck = await guest.request<{ state: string }>('GET', `/api/runs/${request.id}`);
    assert.equal(stuck.body.state, 'running', 'nobody is told of an end that is not stored');
    await mend();
    const end = endOf(await reading);
    assert.equal(end.data.chargedMicro, MICRO_PER_CREDIT);
  });

  it('is stopped, resolved and leaves no text when its conversation is deleted in the middle', async () => {
    const { db } = server();
    const guest = await server().guest();
    const gate = server().double.script({ pieces: ['secret ', 'words '], gateAt: 1 });
    const request = guest.chat('delete me');
    await guest.start(request);
    await gate.atGate;
    const reading = guest.events(request.id);
    const removed = await guest.request('DELETE', `/api/conversations/${request.conversationId}`);
    assert.equal(removed.status, 204);
    endOf(await reading);
    assert.equal((await guest.conversation(request.conversationId)).status, 404);
    const left = await db.read.selectFrom('run_event').select('payload').where('run_id', '=', request.id).execute();
    assert.deepEqual(left, []);
  });
});

onBothEngines(
  'a failure of ours',
  (server) => {
    // Guard: streamAnswer takes whatever is thrown for an ending (endingOfFailure), and endRun resolves the hold.
    it('4: frees the hold, charges nothing and says so', async () => {
      const guest = await server().guest();
      const end = endOf(await guest.run(guest.chat('break')));
      assert.deepEqual(end.type === 'error' && [end.data.code, end.data.chargedMicro], ['internal', 0]);
      assert.equal(await guest.available(), 10 * MICRO_PER_CREDIT);
      assert.equal((await guest.log()).body.entries[0]?.reasonCode, 'our_failure');
      assert.doesNotMatch(JSON.stringify(end.data), /a bug/);
    });
  },
  {
    // biome-ignore lint/correctness/useYield: it fails before its first event
    upstream: upstreamOf(async function* () {
      throw new TypeError('a bug');
    }),
  },
);
