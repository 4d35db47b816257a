import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { endOf, textOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';

const WANTED = 'Hello. This is an answer of the double.';

onBothEngines('a run', (server) => {
  it('answers, costs a guest one message, and stands in the conversation', async () => {
    const guest = await server().guest();
    const request = guest.chat('What is a ledger?');
    const started = await guest.start(request);
    assert.equal(started.status, 202);
    assert.equal(started.body.run.state, 'running');
    assert.equal(started.body.balance.guestMessagesLeft, 9);
    const events = await guest.events(request.id);
    assert.equal(textOf(events), WANTED);
    const end = endOf(events);
    assert.equal(end.type, 'done');
    assert.equal(end.data.chargedMicro, MICRO_PER_CREDIT);
    assert.equal(end.data.balance?.availableMicro, 9 * MICRO_PER_CREDIT);
    const { body } = await guest.conversation(request.conversationId);
    assert.equal(body.title, 'What is a ledger?');
    assert.deepEqual(
      body.messages.map((m) => [m.role, m.text, m.state, m.chargedMicro]),
      [
        ['user', 'What is a ledger?', undefined, undefined],
        ['assistant', WANTED, 'complete', MICRO_PER_CREDIT],
      ],
    );
  });

  it('is started once and charged once when its request is sent again, also at the same time', async () => {
    const guest = await server().guest();
    const request = guest.chat('once');
    const before = server().double.bill.length;
    const all = await Promise.all(Array.from({ length: 8 }, () => guest.start(request)));
    assert.deepEqual(
      all.map((a) => [a.status, a.body.run.id]),
      all.map(() => [202, request.id]),
    );
    endOf(await guest.events(request.id));
    const again = await guest.start(request);
    assert.equal(again.body.run.state, 'complete');
    assert.equal(server().double.bill.length - before, 1);
    assert.equal(await guest.available(), 9 * MICRO_PER_CREDIT);
  });

  it('is refused when its id was used for another request, by whomever', async () => {
    const guest = await server().guest();
    const request = guest.chat('first');
    await guest.run(request);
    const other = await guest.start({ ...request, input: { text: 'second' } } as typeof request);
    assert.deepEqual([other.status, other.body.code], [409, 'run_id_reused']);
    const stranger = await (await server().guest()).start(request);
    assert.deepEqual([stranger.status, stranger.body.code], [409, 'run_id_reused']);
    assert.equal(await guest.available(), 9 * MICRO_PER_CREDIT);
  });

  it('is refused while the conversation is answering, naming the run and costing nothing', async () => {
    const guest = await server().guest();
    const gate = server().double.script({ when: 'hold on', pieces: ['a ', 'b '], gateAt: 1 });
    const first = guest.chat('hold on');
    await guest.start(first);
    await gate.atGate;
    const second = await guest.start(guest.chat('me too', { conversationId: first.conversationId }));
    assert.deepEqual([second.status, second.body.code, second.body.runId], [409, 'conversation_busy', first.id]);
    assert.equal((await guest.account()).body.balance.guestMessagesLeft, 9);
    gate.open();
    endOf(await guest.events(first.id));
  });

  it('runs once when two devices write to one conversation at the same instant', async () => {
    const guest = await server().guest();
    const gate = server().double.script({ when: 'race', pieces: ['a '], gateAt: 0 });
    const conversationId = randomUUID();
    const requests = [0, 1, 2, 3].map((n) => guest.chat(`race ${n}`, { conversationId }));
    const answers = await Promise.all(requests.map((r) => guest.start(r)));
    assert.deepEqual(answers.map((a) => a.status).sort(), [202, 409, 409, 409]);
    await gate.atGate;
    gate.open();
    endOf(await guest.events(requests[answers.findIndex((a) => a.status === 202)]!.id));
  });

  it('admits exactly 10 of 50 parallel requests of a guest with 10 messages left', async () => {
    const guest = await server().guest();
    const requests = Array.from({ length: 50 }, (_, n) => guest.chat(`number ${n}`));
    const before = server().double.bill.length;
    const answers = await Promise.all(requests.map((r) => guest.start(r)));
    const admitted = requests.filter((_, i) => answers[i]!.status === 202);
    assert.equal(admitted.length, 10);
    const refused = answers.filter((a) => a.status !== 202);
    assert.deepEqual(new Set(refused.map((a) => `${a.status} ${a.body.code}`)), new Set(['402 insufficient_credits']));
    for (const request of admitted) endOf(await guest.events(request.id));
    assert.equal(await guest.available(), 0);
    assert.equal(server().double.bill.length - before, 10);
  });

  it('never reaches the model service without a hold', async () => {
    const guest = await server().guest();
    for (let n = 0; n < 10; n++) await guest.run(guest.chat(`use up ${n}`));
    const before = server().double.bill.length;
    const refused = await guest.start(guest.chat('one more'));
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.availableMicro],
      [402, 'insufficient_credits', 0],
    );
    assert.match(refused.body.detail, /operator can allow more/);
    assert.equal(server().double.bill.length, before);
    assert.deepEqual(
      (await guest.conversations()).body.conversations.length,
      10,
      'a refused run leaves no conversation',
    );
  });

  it('sends guests’ limits upstream: at most 2,000 tokens out', async () => {
    const guest = await server().guest();
    await guest.run(guest.chat('short'));
    assert.equal(server().double.bill.at(-1)!.body.max_tokens, 2000);
  });

  it('is refused with what to drop when it is too long', async () => {
    const guest = await server().guest();
    const attachments = [
      { kind: 'file', path: 'src/big.ts', text: 'const x = 1;\n'.repeat(6000) },
      { kind: 'file', path: 'src/small.ts', text: 'const y = 1;\n'.repeat(300) },
    ];
    const refused = await guest.start(guest.chat('read', { input: { text: 'read', attachments } } as never));
    assert.deepEqual([refused.status, refused.body.code, refused.body.limitTokens], [413, 'context_too_long', 16_000]);
    assert.equal(refused.body.drop?.[0]?.what, 'the file src/big.ts');
    assert.equal(await guest.available(), 10 * MICRO_PER_CREDIT);
  });
});
