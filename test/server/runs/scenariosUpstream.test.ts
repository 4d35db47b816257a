import assert from 'node:assert/strict';
import type { RunRequest } from '../../../shared/runs.ts';
import type { BillEntry, Script } from '../../doubles/upstream.ts';
import { breakTable } from '../../support/broken.ts';
import { type Client, endOf, type SeenEvent, textOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import { KIMI, member } from '../../support/tokenPrices.ts';

const C = 1_000_000;
const DEAR = { mode: 'tokens', inputMicro: 600 * C, cachedInputMicro: 45 * C, outputMicro: 900 * C } as const;

/** What a call costs by the model service's own bill. These prices are whole micro-credits for a token. */
const costOf = (
  { inputTokens, cachedInputTokens, outputTokens }: BillEntry,
  { inputMicro, cachedInputMicro, outputMicro }: typeof KIMI | typeof DEAR = KIMI,
) =>
  ((inputTokens - cachedInputTokens) * inputMicro + cachedInputTokens * cachedInputMicro + outputTokens * outputMicro) /
  C;
const has = (word: string) => (event: SeenEvent) => event.type === 'text' && event.data.text.includes(word);
/** The token log's lines of one run, oldest first. */
const linesOf = async (client: Client, request: RunRequest) =>
  (await client.log()).body.entries.filter((entry) => entry.runId === request.id).reverse();

// The accounting scenarios at the edge to the model service: see scenarios.test.ts. Prices are by tokens, so that
// the charge tells what was counted.
onBothEngines(
  'what went wrong elsewhere with an answer',
  (server) => {
    /** Resolves when the server has noticed that nobody reads any more. */
    async function allHaveLeft(): Promise<void> {
      for (;;) {
        const metrics = await (await fetch(`${server().url}/metrics`)).text();
        if (/^perigee_tails_open 0$/m.test(metrics)) return;
      }
    }

    // Guard: a run belongs to nobody's connection. `start` in gateway/routes.ts runs it by itself, and tailRun only reads.
    const LEFT = [
      ['10: a chat whose reader drops before the usage block is billed as reported', 'chat'],
      ['11: an edit whose reader drops before the usage block is billed as reported, and nothing comes back', 'edit'],
    ] as const;
    for (const [title, kind] of LEFT)
      it(title, async () => {
        const client = await member(server());
        const call = server().double.script({ pieces: ['read ', 'to the ', 'end.'], gateAt: 3 });
        const request = kind === 'chat' ? client.chat('read and leave') : client.edit('read and leave', 'let a;');
        await client.start(request);
        await client.events(request.id, 0, has('end.'));
        await allHaveLeft();
        call.open();
        const entry = await call.ended;
        const end = endOf(await client.events(request.id));
        assert.deepEqual([end.type === 'done' && end.data.state, end.data.chargedMicro], ['complete', costOf(entry)]);
        assert.deepEqual(
          (await linesOf(client, request)).map(({ kind, amountMicro, usage }) => [kind, amountMicro, usage?.estimated]),
          [['charge', -costOf(entry), false]],
        );
        assert.equal(await client.available(), 10 * C - costOf(entry));
      });

    const NOTHING: [how: string, script: Script][] = [
      ['whose connection breaks', { pieces: [], end: 'destroy' }],
      ['that just ends', { pieces: [], end: 'eof' }],
      [
        'with an error in place of an answer',
        { pieces: [], end: 'error', error: { error: { message: 'SAID BY IT' } } },
      ],
      ['with an error as its status', { status: 400, body: { error: { message: 'SAID BY IT' } } }],
    ];
    // Guards: readChunk takes no error for text; endingOfFailure makes every failure free.
    for (const [how, script] of NOTHING)
      it(`12: a stream ${how} before any output has 0 output tokens, costs nothing, and its error is not output`, async () => {
        const client = await member(server());
        server().double.script(script);
        const request = client.chat('say something');
        const events = await client.run(request);
        const end = endOf(events);
        assert.deepEqual([end.type, end.data.chargedMicro, textOf(events)], ['error', 0, '']);
        const [line, ...more] = await linesOf(client, request);
        assert.deepEqual(
          [line?.kind, line?.reasonCode, line?.usage?.outputTokens, more.length],
          ['not_charged', 'upstream_failed', 0, 0],
        );
        assert.equal(await client.available(), 10 * C);
        const { messages } = (await client.conversation(request.conversationId)).body;
        assert.equal(messages.at(-1)?.text, '');
        assert.doesNotMatch(JSON.stringify([events, messages]), /SAID BY IT/);
      });

    // Guard: `reported ?? estimate()` in streamAnswer, and readUsage, to which zeros are a report.
    it('13: an explicit zero of usage is not replaced by an estimate, and costs nothing', async () => {
      const client = await member(server());
      const call = server().double.script({ text: 'free of charge', usage: 'zero' });
      const request = client.chat('zero');
      assert.equal(endOf(await client.run(request)).data.chargedMicro, 0);
      const [line] = await linesOf(client, request);
      assert.equal(line?.kind, 'charge');
      assert.deepEqual(line?.usage, { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, estimated: false });
      // The double generated tokens that it did not report: the check of the bill must not expect them.
      (await call.ended).reported = false;
    });

    // Guards: the price is the run's own (priceOf), and what the service told before it broke off counts (usageSoFar).
    const PARTIAL = [
      ['that the user stops is charged', 'stopped'],
      ['that breaks off is on the house', 'broken'],
    ] as const;
    for (const [title, how] of PARTIAL)
      it(`14: a partial answer ${title} at the price of its own model, what was cached as cached`, async () => {
        const { double, db } = server();
        const client = await member(server());
        const first = client.chat('a question with a few words in it', { model: 'dear' });
        await client.run(first);
        const call = double.script({
          pieces: ['one ', 'two ', 'three '],
          gateAt: 2,
          usage: 'every chunk',
          end: 'destroy',
        });
        const before = await client.available();
        const second = client.chat('and more?', { model: 'dear', conversationId: first.conversationId });
        await client.start(second);
        await client.events(second.id, 0, has('two'));
        if (how === 'stopped') await client.stop(second.id);
        else call.open();
        const end = endOf(await client.events(second.id));
        const entry = await call.ended;
        assert.ok(entry.cachedInputTokens > 0 && entry.cachedInputTokens < entry.inputTokens);
        assert.equal(entry.outputTokens, how === 'stopped' ? 2 : 3);
        const costMicro = costOf(entry, DEAR);
        const chargedMicro = how === 'stopped' ? costMicro : 0;
        assert.equal(end.data.chargedMicro, chargedMicro);
        assert.equal(await client.available(), before - chargedMicro);
        const [line] = await linesOf(client, second);
        const { inputTokens, cachedInputTokens, outputTokens } = entry;
        assert.deepEqual(line?.usage, { inputTokens, cachedInputTokens, outputTokens, estimated: false });
        assert.equal(line?.model, 'dear');
        const absorbed = await db.read
          .selectFrom('transfer')
          .select('amount')
          .where('kind', '=', 'absorbed')
          .where('request_id', '=', second.id)
          .execute();
        assert.deepEqual(absorbed, how === 'stopped' ? [] : [{ amount: costMicro }]);
      });

    // Guard: Answer.close, to which an end after the finish is one, with or without a last event.
    it('15: an answer that came to its end is complete, however its connections are closed then', async () => {
      const scripts: Script[] = [{}, { end: 'no [DONE]' }, { end: 'no [DONE]', usage: 'none' }, { wire: ['crlf'] }];
      for (const script of scripts) {
        const client = await member(server());
        const call = server().double.script({ text: 'All is well.', ...script });
        const request = client.chat('go');
        await client.start(request);
        // One reader leaves at the last event, before the stream is closed to it; another reads to its end.
        const leaving = client.events(request.id, 0, (event) => event.type === 'done' || event.type === 'error');
        const end = endOf(await client.events(request.id));
        assert.deepEqual(endOf(await leaving), end);
        assert.deepEqual(end.type === 'done' && [end.data.state, end.data.reason], ['complete', undefined]);
        assert.equal((await call.ended).state, 'complete');
        const [line] = await linesOf(client, request);
        assert.deepEqual([line?.kind, line?.reasonCode], ['charge', undefined]);
        const { body } = await client.request<{ state: string }>('GET', `/api/runs/${request.id}`);
        assert.equal(body.state, 'complete');
      }
    });

    // Guards: the run's id (admittedBefore in admitRun), and Answer.close, to which an end without a finish is none.
    it('16: a 200 that ends in mid-stream and is retried is charged once, and the log explains the first', async () => {
      const { double } = server();
      const client = await member(server());
      double.script({ pieces: ['Almost ', 'there'], end: 'eof' });
      const first = client.chat('tell me');
      assert.deepEqual(endOf(await client.run(first)).data.chargedMicro, 0);
      const calls = double.bill.length;
      // The very same request again, many times at once: told how it ended, and nothing is asked for.
      const again = await Promise.all(Array.from({ length: 4 }, () => client.start(first)));
      assert.deepEqual(
        again.map(({ status, body }) => [status, body.run.state]),
        again.map(() => [202, 'failed']),
      );
      assert.equal(double.bill.length, calls);
      // Asked anew by the user, which is a run of its own.
      const { conversationId } = first;
      const answer = (await client.conversation(conversationId)).body.messages.at(-1)!;
      const second = client.chat('', { conversationId, replaces: answer.id });
      assert.equal(endOf(await client.run(second)).type, 'done');
      assert.equal(double.bill.length, calls + 1);
      const costMicro = costOf(double.bill.at(-1)!);
      assert.equal(await client.available(), 10 * C - costMicro);
      const lines = [...(await linesOf(client, first)), ...(await linesOf(client, second))];
      assert.deepEqual(
        lines.map(({ kind, amountMicro, reasonCode }) => [kind, amountMicro, reasonCode]),
        [
          ['not_charged', 0, 'upstream_failed'],
          ['charge', -costMicro, undefined],
        ],
      );
    });

    // Guards: as for 10; and Body closes the connection of an answer that is not read on, which ends the service's work.
    it('24: what the model service bills when the client is gone is in the log, and a stop ends it there as well', async () => {
      const { double } = server();
      const client = await member(server());
      const left = client.chat('nobody ever reads this');
      const call = double.script({ pieces: ['a ', 'b ', 'c '], gateAt: 0 });
      await client.start(left);
      await call.atGate;
      call.open();
      const entry = await call.ended;
      assert.deepEqual([entry.state, entry.outputTokens], ['complete', 3]);
      endOf(await client.events(left.id));
      assert.equal((await linesOf(client, left))[0]?.amountMicro, -costOf(entry));
      const stops: ((request: RunRequest) => Promise<unknown>)[] = [
        (request) => client.stop(request.id),
        (request) => client.request('DELETE', `/api/conversations/${request.conversationId}`),
        () => client.request('DELETE', '/api/conversations'),
      ];
      for (const stop of stops) {
        const request = client.chat('and then nobody wants it');
        const call = double.script({ pieces: ['a ', 'b ', 'c ', 'd '], gateAt: 2 });
        await client.start(request);
        await client.events(request.id, 0, has('b'));
        const reading = client.events(request.id);
        await stop(request);
        const entry = await call.ended;
        assert.deepEqual([entry.state, entry.outputTokens], ['aborted', 2]);
        const end = endOf(await reading);
        assert.deepEqual(end.type === 'done' && end.data.state, 'stopped');
        assert.ok(end.data.chargedMicro! > 0, 'what was produced is charged');
        assert.equal((await linesOf(client, request))[0]?.amountMicro, -end.data.chargedMicro!, 'and so it is told');
      }
    });
  },
  {
    policy: (policy) => {
      policy.models = [
        { id: 'double', contextTokens: 128_000, maxOutputTokens: 1000, price: KIMI },
        { id: 'dear', contextTokens: 128_000, maxOutputTokens: 1000, price: DEAR },
      ];
    },
  },
);

let heard = (_message: string) => {};
const deaf = { debug() {}, info() {}, warn() {}, fatal() {}, error: (_: unknown, message = '') => heard(message) };
/** Resolves when the server's log says so. */
const logged = (what: string) =>
  new Promise<void>((resolve) => {
    heard = (message) => message.includes(what) && resolve();
  });

onBothEngines(
  'a settlement that fails',
  (server) => {
    // Guard: recoverRuns goes on with the others and tries again at its next turn; endRun is one transaction.
    it('7: and whose clean-up fails, too, is undecided until the store is well, and then gives everything back', async () => {
      const { db, double } = server();
      const guest = await server().guest();
      // Without usage: what was reported would be lost with the settlement, and the house carries an estimate.
      const call = double.script({ pieces: ['all ', 'said'], gateAt: 2, usage: 'none' });
      const request = guest.chat('settle me');
      await guest.start(request);
      await call.atGate;
      const mend = await breakTable(db, 'hold', 'update');
      const failed = logged('an answer could not be ended');
      call.open();
      await failed;
      await logged('an abandoned answer could not be ended');
      const reading = guest.events(request.id);
      const { body } = await guest.request<{ state: string }>('GET', `/api/runs/${request.id}`);
      assert.equal(body.state, 'running', 'nobody is told of an end that is not stored');
      const { balance } = (await guest.account()).body;
      assert.deepEqual([balance.availableMicro, balance.pendingMicro], [9 * C, C], 'what is undecided stays set aside');
      await mend();
      const end = endOf(await reading);
      assert.deepEqual(end.type === 'done' && [end.data.state, end.data.chargedMicro, end.data.reason], [
        'interrupted',
        0,
        'interrupted',
      ]);
      assert.equal(await guest.available(), 10 * C);
      assert.deepEqual(
        (await linesOf(guest, request)).map(({ kind, reasonCode }) => [kind, reasonCode]),
        [['not_charged', 'interrupted']],
      );
      endOf(await guest.run(guest.chat('and now?')));
      assert.equal(await guest.available(), 9 * C);
    });
  },
  { env: { LEASE_MS: '500' }, log: deaf as never },
);
