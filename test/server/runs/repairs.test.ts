import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { RunRequest } from '../../../shared/runs.ts';
import { type Client, endOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import type { TestServer } from '../../support/server.ts';

const C = 1_000_000;
const FILES = { 'src/a.ts': 'let a;\n', 'src/b.ts': 'let b;\n', 'c.md': '```\ncode\n```\n' };
const ANSWER = 'src/a.ts\n```\n<<<<<<< SEARCH\nlet b;\n=======\nlet c;\n>>>>>>> REPLACE\n```';

const lastPrompt = (server: TestServer) => server.double.bill.at(-1)!.body.messages!;

onBothEngines('an edit of files', (server) => {
  /** One that has come to its end. */
  async function edited(guest: Client): Promise<RunRequest> {
    server().double.script({ text: ANSWER });
    const edit = guest.editFiles('rename b to c', FILES, { paths: ['src/other.ts'] });
    endOf(await guest.run(edit));
    return edit;
  }
  const refusal = async (guest: Client, request: RunRequest) => {
    const calls = server().double.bill.length;
    const { status, body } = await guest.start(request);
    assert.equal(server().double.bill.length, calls, 'the model was not asked');
    return [status, body.code];
  };

  it('is asked with its files first, and shown with them by name', async () => {
    const guest = await server().guest();
    const edit = await edited(guest);
    const [system, user, ...more] = lastPrompt(server());
    assert.deepEqual(more, []);
    assert.match(system!.content, /<<<<<<< SEARCH[\s\S]*\*\*\* Delete File: [\s\S]*\nedit-files-mode$/);
    assert.equal(
      user!.content,
      [
        'File: src/a.ts\n```typescript\nlet a;\n```',
        'File: src/b.ts\n```typescript\nlet b;\n```',
        'File: c.md\n````typescript\n```\ncode\n```\n````',
        'Other files, by name alone:\n```\nsrc/other.ts\n```',
        'Instruction: rename b to c',
      ].join('\n'),
    );
    const { body } = await guest.conversation(edit.conversationId);
    assert.equal(body.title, 'rename b to c · a.ts and 2 more');
    const [asked] = body.messages;
    assert.equal(asked!.text, 'rename b to c');
    assert.deepEqual(
      asked!.attachments?.map(({ id, ...shown }) => shown),
      Object.entries(FILES).map(([path, text]) => ({
        kind: 'file',
        path,
        languageId: 'typescript',
        characters: text.length,
      })),
    );
    const exported = await guest.request<string>('GET', `/api/conversations/${edit.conversationId}/export`);
    assert.match(exported.body, /- Attached file `src\/a\.ts`\n- Attached file `src\/b\.ts`/);
  });

  it('can be talked about: the chat knows it, and takes its files by name', async () => {
    const guest = await server().guest();
    const edit = await edited(guest);
    const { messages } = (await guest.conversation(edit.conversationId)).body;
    const attachments = [{ id: messages[0]!.attachments![1]!.id }];
    const input = { text: 'Why?', attachments };
    await guest.run(guest.chat('', { conversationId: edit.conversationId, input } as Partial<RunRequest>));
    assert.deepEqual(
      lastPrompt(server())
        .slice(1)
        .map((m) => [m.role, m.content.slice(0, 60)]),
      [
        ['user', 'File: src/a.ts\n```typescript\nlet a;\n```\nFile: src/b.ts\n```ty'],
        ['assistant', ANSWER.slice(0, 60)],
        ['user', 'Why?\n\nAttached file: src/b.ts\n```typescript\nlet b;\n```'],
      ],
    );
  });

  it('that is too long is refused, naming what to drop, the largest file first', async () => {
    const guest = await server().guest();
    const word = (count: number) => 'word and word '.repeat(count);
    const edit = guest.editFiles('improve', { 'small.ts': word(10), 'large.ts': word(9000), 'middle.ts': word(500) });
    const { status, body } = await guest.start(edit);
    assert.deepEqual([status, body.code], [413, 'context_too_long']);
    assert.deepEqual(
      body.drop?.map((d) => d.what),
      ['the file large.ts', 'the file middle.ts', 'the file small.ts', 'part of your instruction'],
    );
    assert.match(body.detail, /Drop the file large\.ts first/);
    assert.equal(await guest.available(), 10 * C);
  });

  it('is repaired: the model sees its own answer, what was refused and why, and the nearest lines', async () => {
    const guest = await server().guest();
    const edit = await edited(guest);
    const refused = [
      { path: 'src/a.ts', lookedFor: 'let b;', why: 'These lines are not in\nthe file.', nearest: '  let a;\n' },
      { path: 'x.ts', lookedFor: '', why: 'There is no such file.' },
    ];
    server().double.script({ text: 'repaired' });
    const end = endOf(await guest.run(guest.repair(edit, { refused })));
    assert.deepEqual([end.type, end.data.chargedMicro], ['done', C]);
    const prompt = lastPrompt(server());
    assert.deepEqual(
      prompt.map((m) => m.role),
      ['system', 'user', 'assistant', 'user'],
    );
    assert.match(prompt[0]!.content, /edit-files-mode$/, 'the prefix is that of the edit, and can be cached');
    assert.match(prompt[1]!.content, /^File: src\/a\.ts\n/);
    assert.equal(prompt[2]!.content, ANSWER);
    assert.equal(
      prompt[3]!.content,
      [
        'Some of your blocks could not be applied; the others could. Answer with corrected blocks in place of these alone, by the same rules.',
        'Block 1: src/a.ts',
        'Refused because: These lines are not in the file.',
        'It looked for:\n```\nlet b;\n```',
        'The nearest lines, as the file has them:\n```\n  let a;\n```',
        'Block 2: x.ts',
        'Refused because: There is no such file.',
      ].join('\n'),
    );
    const { messages, title } = (await guest.conversation(edit.conversationId)).body;
    assert.equal(title, 'rename b to c · a.ts and 2 more');
    assert.deepEqual(
      messages.map((m) => [m.role, m.kind, m.text, m.attachments?.length]),
      [
        ['user', 'edit', 'rename b to c', 3],
        ['assistant', 'edit', ANSWER, undefined],
        ['user', 'edit', 'Repair 2 blocks that did not fit', undefined],
        ['assistant', 'edit', 'repaired', undefined],
      ],
    );
    const exported = await guest.request<string>('GET', `/api/conversations/${edit.conversationId}/export`);
    assert.match(exported.body, /Repair 2 blocks that did not fit/);
    await guest.run(guest.chat('Why?', { conversationId: edit.conversationId }));
    assert.equal(lastPrompt(server()).length, 6, 'a chat that follows knows the repair');
  });

  it('is repaired once, and its repair not at all', async () => {
    const guest = await server().guest();
    const edit = await edited(guest);
    const repair = guest.repair(edit);
    await guest.run(repair);
    assert.equal((await guest.start(repair)).status, 202, 'the same request again is told its run');
    assert.deepEqual(await refusal(guest, guest.repair(edit)), [409, 'already_repaired']);
    assert.deepEqual(await refusal(guest, guest.repair(repair)), [400, 'invalid_request']);
    assert.equal(await guest.available(), 8 * C);
  });

  it('is repaired by one of two that come at once', async () => {
    const guest = await server().guest();
    const edit = await edited(guest);
    const repairs = [guest.repair(edit), guest.repair(edit), guest.repair(edit)];
    const answers = await Promise.all(repairs.map((repair) => guest.start(repair)));
    assert.deepEqual(answers.map((a) => a.status).sort(), [202, 409, 409]);
    for (const { status, body } of answers)
      if (status === 409) assert.match(body.code, /^(conversation_busy|already_repaired)$/);
    const won = repairs[answers.findIndex((a) => a.status === 202)]!;
    endOf(await guest.events(won.id));
    assert.deepEqual(await refusal(guest, guest.repair(edit)), [409, 'already_repaired']);
    assert.equal(await guest.available(), 8 * C);
  });

  it('may be repaired again when its repair failed, which costs nothing', async () => {
    const guest = await server().guest();
    const edit = await edited(guest);
    server().double.script({ pieces: ['src/'], end: 'destroy' });
    const failed = endOf(await guest.run(guest.repair(edit)));
    assert.deepEqual([failed.type, failed.data.chargedMicro], ['error', 0]);
    endOf(await guest.run(guest.repair(edit)));
    assert.deepEqual(await refusal(guest, guest.repair(edit)), [409, 'already_repaired']);
    assert.equal(await guest.available(), 8 * C);
  });

  it('and its repair are refunded each for itself', async () => {
    const guest = await server().guest();
    const edit = await edited(guest);
    const repair = guest.repair(edit);
    await guest.run(repair);
    assert.equal((await guest.outcome(edit.id, 0, 1)).body.refundedMicro, C);
    assert.equal((await guest.outcome(repair.id, 1, 0)).body.notRefunded, 'applied');
    assert.equal(await guest.available(), 9 * C);
  });

  it('that is no edit of files, not complete, or not there, is not repaired', async () => {
    const [guest, stranger] = [await server().guest(), await server().guest()];
    const selection = guest.edit('improve', 'let a;');
    await guest.run(selection);
    const chat = guest.chat('hello');
    await guest.run(chat);
    const edit = await edited(guest);
    const failed = guest.editFiles('improve', FILES);
    server().double.script({ pieces: ['src/'], end: 'destroy' });
    await guest.run(failed);
    const empty = guest.editFiles('improve', FILES);
    server().double.script({ pieces: [] });
    await guest.run(empty);
    const table: [what: string, who: Client, request: RunRequest, status: number, code: string][] = [
      ['an edit of a selection', guest, guest.repair(selection), 400, 'invalid_request'],
      ['a chat', guest, guest.repair(chat), 400, 'invalid_request'],
      ['a failed edit', guest, guest.repair(failed), 409, 'nothing_to_repair'],
      ['an answer of nothing', guest, guest.repair(empty), 409, 'nothing_to_repair'],
      ['a run that is none', guest, guest.repair(edit, { repairs: randomUUID() }), 404, 'not_found'],
      ['an edit of another conversation', guest, guest.repair(chat, { repairs: edit.id }), 404, 'not_found'],
      ['one in a new conversation', guest, { ...guest.repair(edit), conversationId: randomUUID() }, 404, 'not_found'],
      ['an edit of somebody else', stranger, stranger.repair(edit), 404, 'not_found'],
      ['with replaces', guest, { ...guest.repair(edit), replaces: randomUUID() }, 400, 'invalid_request'],
      ['with continues', guest, { ...guest.repair(edit), continues: edit.id }, 400, 'invalid_request'],
      ['without refused blocks', guest, guest.repair(edit, { refused: [] }), 400, 'invalid_request'],
    ];
    for (const [what, who, request, status, code] of table)
      assert.deepEqual(await refusal(who, request), [status, code], what);
    const theirs = stranger.chat('mine');
    await stranger.run(theirs);
    assert.deepEqual(await refusal(stranger, stranger.repair(theirs, { repairs: edit.id })), [404, 'not_found']);
    assert.equal(await guest.available(), 7 * C);
  });

  it('that was superseded is not repaired', async () => {
    const guest = await server().guest();
    const edit = await edited(guest);
    const [asked] = (await guest.conversation(edit.conversationId)).body.messages;
    const anew = { ...guest.editFiles('other', FILES), conversationId: edit.conversationId, replaces: asked!.id };
    await guest.run(anew);
    assert.deepEqual(await refusal(guest, guest.repair(edit)), [404, 'not_found']);
    await guest.run(guest.repair(anew));
  });
});
