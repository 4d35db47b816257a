import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { parseConfig } from '../../server/platform/config/config.ts';
import type { Tx } from '../../server/platform/db/database.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import { createLog } from '../../server/platform/log.ts';
import { MAX_TEXT } from '../../shared/constants.ts';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { Client } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';
import { freshDatabase, SECRET, ServerProcess } from '../support/server.ts';

const EDITS = 16;
const FILES = 8;
const FILE = 'const answer = 42; // and what it means\n'.repeat(MAX_TEXT / 40);

/** A conversation as it is after so many edits of 8 MB each; `measured` is false of what an older Perigee stored. */
async function insertEdits(tx: Tx, accountId: string, { measured = true, files = FILES } = {}): Promise<string> {
  const conversation = { id: randomUUID(), account_id: accountId, title: 'Heavy', kind: 'edit' as const };
  await tx
    .insertInto('conversation')
    .values({ ...conversation, created_at: 1, updated_at: 1 })
    .execute();
  const nothing = {
    ...{ run_id: null, state: null, model: null, usage: null, charged: null, reason: null, problem: null },
    ...{ cut_short: null, clamped_to: null, continues: null, device: null, superseded_at: null, superseded_by: null },
  };
  const size = (tokens: number) => (measured ? { tokens, bytes: tokens * 4 } : { tokens: null, bytes: null });
  for (let n = 0; n < EDITS; n++) {
    const [id, answer] = [randomUUID(), randomUUID()];
    const row = { ...nothing, conversation_id: conversation.id, kind: 'edit' as const, created_at: 1 };
    await tx
      .insertInto('message')
      .values([
        { ...row, id, seq: 2 * n + 1, role: 'user', text: `Edit ${n}`, ...size(files * 250_000) },
        { ...row, id: answer, seq: 2 * n + 2, role: 'assistant', text: 'Done.', state: 'complete', ...size(2) },
      ])
      .execute();
    for (let place = 0; place < files; place++)
      await tx
        .insertInto('attachment')
        .values({
          ...{ message_id: id, place, kind: 'file', path: `src/${place}.ts`, language_id: 'typescript' },
          ...{
            first_line: null,
            last_line: null,
            characters: FILE.length,
            ...(measured ? { tokens: 250_000, bytes: MAX_TEXT } : { tokens: null, bytes: null }),
            text: FILE,
          },
        })
        .execute();
    const content = JSON.stringify({ instruction: `Edit ${n}` });
    await tx.insertInto('edit_input').values({ message_id: id, content }).execute();
  }
  return conversation.id;
}

/** Processor time of some calls in turn, in ms: of this whole process, so of the server and of whoever asks it. */
async function cpuOf(call: () => Promise<unknown>): Promise<number> {
  await call();
  const before = process.cpuUsage();
  for (let n = 0; n < 10; n++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 10_000;
}

onBothEngines('a conversation with edits of 8 MB', (server, engine) => {
  it('is read, refused and edited further for what a short one costs', async function () {
    this.timeout(120_000);
    const guest = await server().guest();
    const plain = guest.chat('hello');
    await guest.run(plain);
    const heavy = await server().db.write((tx) => insertEdits(tx, guest.accountId));
    const read = (id: string) => async () => {
      const { status, body } = await guest.conversation(id);
      assert.equal(status, 200);
      return body;
    };
    const refused = (conversationId: string, more: object, code: string) => async () => {
      const answer = await guest.start({ ...guest.chat('more'), conversationId, ...more } as never);
      assert.equal(answer.body.code, code);
    };
    const { messages } = await read(heavy)();
    assert.equal(messages.length, 2 * EDITS);
    assert.deepEqual(
      messages[0]!.attachments!.map(({ characters }) => characters),
      Array(FILES).fill(MAX_TEXT),
    );
    const shortRead = await cpuOf(read(plain.conversationId));
    const heavyRead = await cpuOf(read(heavy));
    assert.ok(heavyRead < 3 * shortRead + 10, `reading: ${heavyRead} ms, a short one ${shortRead} ms`);
    const tooLong = { input: { text: 'word '.repeat(20_000) } };
    const shortRefused = await cpuOf(refused(plain.conversationId, tooLong, 'context_too_long'));
    const heavyRefused = await cpuOf(refused(heavy, {}, 'context_too_long'));
    assert.ok(heavyRefused < 3 * shortRefused, `refused: ${heavyRefused} ms, a short one ${shortRefused} ms`);
    const { drop } = (await guest.start({ ...guest.chat('more'), conversationId: heavy })).body;
    assert.match(drop![0]!.what, /earlier messages/);
    // An edit says all by itself, so it is let through whatever stands before it.
    const edit = { ...guest.edit('again', 'let a;'), conversationId: heavy };
    await guest.run(edit);
    const [system, ...turns] = server().double.bill.at(-1)!.body.messages!;
    assert.deepEqual([system!.role, turns.length], ['system', 1]);
    const named = { input: { text: 'these', attachments: messages[0]!.attachments!.map(({ id }) => ({ id })) } };
    const namedRefused = await cpuOf(refused(heavy, named, 'context_too_long'));
    assert.ok(namedRefused < 3 * shortRefused, `refused by name: ${namedRefused} ms, a short one ${shortRefused} ms`);
  });

  it('costs no more to be refused when it answers already, or when nothing is left', async function () {
    this.timeout(120_000);
    const guest = await server().guest();
    const heavy = await server().db.write((tx) => insertEdits(tx, guest.accountId, { files: 1 }));
    const gate = server().double.script({ pieces: ['one ', 'two'], gateAt: 1 });
    const running = { ...guest.edit('x', 'y'), conversationId: heavy };
    const short = guest.chat('x');
    await guest.start(running);
    await gate.atGate;
    const busy = await cpuOf(async () => {
      assert.equal(
        (await guest.start({ ...guest.chat('more'), conversationId: heavy })).body.code,
        'conversation_busy',
      );
    });
    const account = await cpuOf(() => guest.account());
    assert.ok(busy < 3 * account + 10, `busy: ${busy} ms, a plain request ${account} ms`);
    gate.open();
    await guest.events(running.id);
    await guest.run(short);
  });

  it('is measured once where an older Perigee stored it, the newest first and no further than a model reads', async function () {
    this.timeout(120_000);
    const guest = await server().guest();
    const heavy = await server().db.write((tx) => insertEdits(tx, guest.accountId, { measured: false, files: 1 }));
    for (let n = 0; n < 2; n++)
      assert.equal((await guest.start({ ...guest.chat('more'), conversationId: heavy })).body.code, 'context_too_long');
    const rows = await server()
      .db.read.selectFrom('message')
      .select(['seq', 'tokens'])
      .where('conversation_id', '=', heavy)
      .orderBy('seq')
      .execute();
    assert.deepEqual(
      rows.filter(({ tokens }) => tokens !== null).map(({ seq }) => seq),
      [2 * EDITS - 1, 2 * EDITS],
    );
    assert.ok(engine && rows.at(-2)!.tokens! > 100_000);
  });
});

describe('a server with a small heap', () => {
  let double: UpstreamDouble;
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let server: ServerProcess;
  before(async () => {
    double = await new UpstreamDouble().start();
    database = await freshDatabase('sqlite');
    const program = ['--max-old-space-size=128', '--import', 'tsx', 'server/main.ts'];
    server = await ServerProcess.start(database.url, double.url, {}, program);
  });
  after(async () => {
    await server?.kill();
    await double?.stop();
    await database?.remove();
  });

  it('reads, refuses and exports a conversation that is larger than its memory', async () => {
    const guest = await Client.guest(server.url);
    const config = parseConfig({ DATABASE_URL: database.url, SECRET }, () => '{}');
    const db = await openDatabase(config.database, createLog('silent'), { alongside: true });
    const heavy = await db.write((tx) => insertEdits(tx, guest.accountId));
    await db.close();
    assert.equal((await guest.conversation(heavy)).status, 200);
    assert.equal((await guest.start({ ...guest.chat('more'), conversationId: heavy })).body.code, 'context_too_long');
    const markdown = await guest.request<string>('GET', `/api/conversations/${heavy}/export`);
    assert.match(markdown.body, /Edit 0[\s\S]*Attached file `src\/7\.ts`[\s\S]*Edit 15/);
    assert.equal((await guest.account()).status, 200, 'it lives');
  });

  it('reads a body that comes in pieces of a byte each', async () => {
    const guest = await Client.guest(server.url);
    const { host, hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const head = ['POST /api/runs HTTP/1.1', `host: ${host}`, `authorization: Bearer ${guest.token}`];
    head.push('content-type: application/json', 'transfer-encoding: chunked');
    const [before, after] = JSON.stringify(guest.chat('…')).split('…') as [string, string];
    const piece = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    const answered = once(socket, 'data');
    socket.write(`${head.join('\r\n')}\r\n\r\n${piece(before)}`);
    for (let n = 0; n < 90; n++)
      if (!socket.write(piece('x').repeat(10_000))) await Promise.race([once(socket, 'drain'), answered]);
    socket.write(`${piece(after)}${piece('')}`);
    const [answer] = await answered;
    socket.destroy();
    assert.match(String(answer), /context_too_long/, 'it was read to its end');
    assert.equal((await guest.account()).status, 200, 'it lives');
  });
});
