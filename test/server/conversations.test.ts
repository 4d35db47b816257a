import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { MICRO_PER_CREDIT } from '../../shared/account.ts';
import type { RunRequest } from '../../shared/runs.ts';
import type { Client } from '../support/client.ts';
import { endOf, textOf } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';

const texts = async (client: Client, id: string) =>
  (await client.conversation(id)).body.messages.map((m) => `${m.role[0]}: ${m.text}`);

const A_FILE = { kind: 'file', path: 'src/a.ts', languageId: 'typescript', text: 'let a = 1;' };

onBothEngines('a conversation', (server) => {
  it('remembers what was said: the model gets the earlier messages, and the same prefix each time', async () => {
    const guest = await server().guest();
    const conversationId = randomUUID();
    server().double.script({ text: 'Blue.' });
    await guest.run(guest.chat('My colour?', { conversationId }));
    server().double.script({ text: 'Because.' });
    await guest.run(guest.chat('Why?', { conversationId }));
    const [first, second] = server()
      .double.bill.slice(-2)
      .map((entry) => entry.body.messages ?? []);
    assert.deepEqual(
      second!.slice(1).map((m) => `${m.role}: ${m.content}`),
      ['user: My colour?', 'assistant: Blue.', 'user: Why?'],
    );
    assert.deepEqual(second!.slice(0, first!.length), first, 'the prefix can be cached');
  });

  it('answers again: the old answer and all after it are superseded', async () => {
    const guest = await server().guest();
    const conversationId = randomUUID();
    server().double.script({ text: 'First.' });
    await guest.run(guest.chat('Q1', { conversationId }));
    await guest.run(guest.chat('Q2', { conversationId }));
    const { messages } = (await guest.conversation(conversationId)).body;
    server().double.script({ text: 'Second.' });
    await guest.run(guest.chat('', { conversationId, replaces: messages[1]!.id }));
    assert.deepEqual(await texts(guest, conversationId), ['u: Q1', 'a: Second.']);
  });

  it('is edited and resent from an earlier message, which keeps the attachments that are named', async () => {
    const guest = await server().guest();
    const conversationId = randomUUID();
    const attachments = [
      { kind: 'file', path: 'a.ts', languageId: 'typescript', text: 'let a = 1;' },
      { kind: 'file', path: 'b.ts', text: 'let b = 2;' },
    ];
    await guest.run(guest.chat('', { conversationId, input: { text: 'Look', attachments } } as Partial<RunRequest>));
    const [asked] = (await guest.conversation(conversationId)).body.messages;
    assert.deepEqual(
      asked!.attachments?.map((a) => [a.path, a.characters, 'text' in a]),
      [
        ['a.ts', 10, false],
        ['b.ts', 10, false],
      ],
    );
    const kept = asked!.attachments![1]!.id;
    await guest.run(
      guest.chat('', {
        conversationId,
        replaces: asked!.id,
        input: { text: 'Look again', attachments: [{ id: kept }] },
      } as Partial<RunRequest>),
    );
    const sent = server().double.bill.at(-1)!.body.messages!.at(-1)!.content;
    assert.match(sent, /Look again[\s\S]*b\.ts[\s\S]*let b = 2;/);
    assert.doesNotMatch(sent, /a\.ts/);
    const again = (await guest.conversation(conversationId)).body.messages;
    assert.deepEqual(again.map((m) => m.text).slice(0, 1), ['Look again']);
    assert.equal(again.length, 2);
  });

  it('is not sent with an attachment that no message has, however it is named', async () => {
    const guest = await server().guest();
    const conversationId = randomUUID();
    await guest.run(guest.chat('Look', { conversationId }));
    for (const id of ['x', `${randomUUID()}/`, `${randomUUID()}/1e30`, `${randomUUID()}/-1`, `${randomUUID()}/0/0`]) {
      const input = { text: 'Again', attachments: [{ id }] };
      const { status } = await guest.start(guest.chat('', { conversationId, input } as Partial<RunRequest>));
      assert.equal(status, 404, id);
    }
  });

  it('is answered though another version measured it as shorter, and measured anew', async () => {
    const guest = await server().guest();
    const conversationId = randomUUID();
    await guest.run(guest.chat('A long story. '.repeat(200), { conversationId }));
    const { db } = server();
    const sizes = () => db.read.selectFrom('message').select('bytes').where('conversation_id', '=', conversationId);
    await db.write((tx) =>
      tx.updateTable('message').set({ tokens: 1, bytes: 1 }).where('conversation_id', '=', conversationId).execute(),
    );
    assert.equal((await guest.run(guest.chat('And then?', { conversationId }))).at(-1)!.type, 'done');
    assert.ok((await sizes().execute()).every(({ bytes }) => bytes! > 1));
  });

  it('tells the model what each attachment is, word for word, and keeps it as that', async () => {
    const guest = await server().guest();
    const conversationId = randomUUID();
    const given = [
      {
        kind: 'found',
        path: 'src/a.ts',
        range: { start: 2, end: 3 },
        languageId: 'typescript',
        text: 'let a;\nlet b;',
      },
      { kind: 'folder', path: 'src/net', text: 'src/net/c.ts\n\nLeft out: 1 file that may hold secrets.' },
      {
        kind: 'symbol',
        path: 'src/a.ts',
        name: 'c',
        range: { start: 9, end: 9 },
        languageId: 'typescript',
        text: 'const c = 1;',
      },
      { kind: 'commit', path: '3f2a1bc Count', text: 'commit 3f2a1bc\n\nCount' },
      { kind: 'terminal', path: 'npm test', text: '$ npm test\nfailing: 1\n(exit code 1)' },
      { kind: 'pasted', path: '2 lines', text: 'one\ntwo' },
    ];
    await guest.run(
      guest.chat('', { conversationId, input: { text: 'Look', attachments: given } } as Partial<RunRequest>),
    );
    assert.equal(
      server().double.bill.at(-1)!.body.messages!.at(-1)!.content,
      [
        'Look',
        'Attached found: src/a.ts lines 3-4\n```typescript\nlet a;\nlet b;\n```',
        'Attached folder: src/net\n```\nsrc/net/c.ts\n\nLeft out: 1 file that may hold secrets.\n```',
        'Attached symbol: src/a.ts lines 10-10\n```typescript\nconst c = 1;\n```',
        'Attached commit: 3f2a1bc Count\n```\ncommit 3f2a1bc\n\nCount\n```',
        'Attached terminal: npm test\n```\n$ npm test\nfailing: 1\n(exit code 1)\n```',
        'Attached pasted: 2 lines\n```\none\ntwo\n```',
      ].join('\n\n'),
    );
    const [question] = (await guest.conversation(conversationId)).body.messages;
    assert.deepEqual(
      question!.attachments!.map(({ kind, path, name, range }) => ({ kind, path, name, range })),
      given.map(({ kind, path, name, range }) => ({ kind, path, name, range })),
    );
    const markdown = await guest.request<string>('GET', `/api/conversations/${conversationId}/export`);
    assert.match(
      markdown.body,
      /- Attached piece found in `src\/a\.ts`, lines 3 to 4\n- Attached folder `src\/net`\n- Attached symbol in `src\/a\.ts`, lines 10 to 10\n- Attached commit `3f2a1bc Count`\n- Attached output of `npm test`\n- Attached pasted text, `2 lines`\n/,
    );
  });

  it('keeps what the editor showed beside a question, as such, when it is answered anew or sent again', async () => {
    const guest = await server().guest();
    const conversationId = randomUUID();
    const lines = { kind: 'selection', visible: true, path: 'a.ts', range: { start: 4, end: 5 }, text: 'let a;' };
    const first = { conversationId, input: { text: 'Look', attachments: [lines] } } as Partial<RunRequest>;
    await guest.run(guest.chat('', first));
    const prompt = () => server().double.bill.at(-1)!.body.messages!.at(-1)!.content;
    const asked = async () => (await guest.conversation(conversationId)).body.messages;
    const told = 'Look\n\nAttached visible: a.ts lines 5-6\n```\nlet a;\n```';
    assert.equal(prompt(), told);
    const [question, answer] = await asked();
    const { kind, visible, range } = question!.attachments![0]!;
    assert.deepEqual([kind, visible, range], ['selection', true, { start: 4, end: 5 }]);
    await guest.run(guest.chat('', { conversationId, replaces: answer!.id }));
    assert.equal(prompt(), told);
    const again = { text: 'Look', attachments: [{ id: question!.attachments![0]!.id }] };
    await guest.run(guest.chat('', { conversationId, replaces: question!.id, input: again } as Partial<RunRequest>));
    assert.equal(prompt(), told);
    assert.equal((await asked())[0]!.attachments?.[0]?.visible, true);
  });

  it('goes on with an answer that was stopped, telling the model what stands there already', async () => {
    const guest = await server().guest();
    const gate = server().double.script({ pieces: ['Once upon ', 'a time'], gateAt: 1 });
    const request = guest.chat('A story');
    await guest.start(request);
    await gate.atGate;
    await guest.events(request.id, 0, (e) => e.type === 'text');
    await guest.stop(request.id);
    endOf(await guest.events(request.id));
    server().double.script({ text: 'there was a ledger.' });
    const { conversationId } = request;
    await guest.run(guest.chat('', { conversationId, continues: request.id }));
    const { messages } = (await guest.conversation(conversationId)).body;
    assert.deepEqual(
      messages.map((m) => [m.role, m.text, m.continues]),
      [
        ['user', 'A story', undefined],
        ['assistant', 'Once upon ', undefined],
        ['assistant', 'there was a ledger.', request.id],
      ],
    );
    const prompt = server().double.bill.at(-1)!.body.messages!;
    assert.deepEqual(
      prompt.slice(1, 3).map((m) => m.content),
      ['A story', 'Once upon '],
    );
    const more = await guest.start(guest.chat('', { conversationId, continues: request.id }));
    assert.deepEqual([more.status, more.body.code], [409, 'nothing_to_continue']);
    const regenerated = guest.chat('', { conversationId, replaces: messages[2]!.id });
    server().double.script({ text: 'All anew.' });
    await guest.run(regenerated);
    assert.deepEqual(await texts(guest, conversationId), ['u: A story', 'a: All anew.']);
  });

  it('goes on with an answer that was cut at its length limit, and with no other that is complete', async () => {
    const guest = await server().guest();
    server().double.script({ pieces: ['Once upon '], finish: 'length' });
    const request = guest.chat('A story');
    await guest.run(request);
    const { conversationId } = request;
    const exported = await guest.request<string>('GET', `/api/conversations/${conversationId}/export`);
    assert.match(exported.body, /Once upon[\s\S]*\*Cut at its length limit\.\*/);
    server().double.script({ text: 'a time.' });
    const rest = guest.chat('', { conversationId, continues: request.id });
    await guest.run(rest);
    assert.match(server().double.bill.at(-1)!.body.messages!.at(-1)!.content, /cut off\. Go on exactly where it ended/);
    const { messages } = (await guest.conversation(conversationId)).body;
    assert.deepEqual(
      messages.slice(1).map((m) => [m.text, m.cutShort, m.continues, m.chargedMicro]),
      [
        ['Once upon ', true, undefined, MICRO_PER_CREDIT],
        ['a time.', undefined, request.id, MICRO_PER_CREDIT],
      ],
    );
    const more = await guest.start(guest.chat('', { conversationId, continues: rest.id }));
    assert.deepEqual([more.status, more.body.code], [409, 'nothing_to_continue']);
  });

  it('is listed newest first, by pages, and found by what was said in it', async () => {
    const guest = await server().guest();
    const ids: string[] = [];
    for (const word of ['apple', 'Über 100%', 'cherry_pie']) {
      server().double.script({ text: `About ${word}, thoroughly.` });
      const request = guest.chat(`tell me of ${word}`);
      ids.unshift(request.conversationId);
      await guest.run(request);
    }
    const first = (await guest.conversations('?limit=2')).body;
    const second = (await guest.conversations(`?limit=2&before=${first.before}`)).body;
    assert.deepEqual(
      [...first.conversations, ...second.conversations].map((c) => c.id),
      ids,
    );
    assert.equal(second.before, null);
    const found = async (search: string) =>
      (await guest.conversations(`?search=${encodeURIComponent(search)}`)).body.conversations.map((c) => c.id);
    assert.deepEqual(await found('APPLE, thoroughly'), [ids[2]]);
    assert.deepEqual(await found('über'), [ids[1]]);
    assert.deepEqual(await found('100%'), [ids[1]], 'a percent sign is a percent sign');
    assert.deepEqual(await found('y_p'), [ids[0]], 'and an underscore an underscore');
    assert.deepEqual(await found('nowhere'), []);
  });

  it('comes by pages from its end, and says that it is answering', async () => {
    const guest = await server().guest();
    const conversationId = randomUUID();
    for (let n = 0; n < 4; n++) await guest.run(guest.chat(`q${n}`, { conversationId }));
    const gate = server().double.script({ pieces: ['x'], gateAt: 0 });
    const running = guest.chat('last', { conversationId });
    await guest.start(running);
    await gate.atGate;
    const last = (await guest.conversation(conversationId, '?limit=4')).body;
    assert.deepEqual(last.running, { runId: running.id, device: 'test' });
    assert.equal(last.messages.at(-1)!.state, 'running');
    const earlier = (await guest.conversation(conversationId, `?limit=50&before=${last.before}`)).body;
    assert.equal(earlier.before, null);
    assert.deepEqual(
      [...earlier.messages, ...last.messages].filter((m) => m.role === 'user').map((m) => m.text),
      ['q0', 'q1', 'q2', 'q3', 'last'],
    );
    gate.open();
    endOf(await guest.events(running.id));
  });

  it('has the title of its first message, also when that is edited, until somebody gives it another', async () => {
    const guest = await server().guest();
    const first = guest.chat('How do I sort?');
    const { conversationId } = first;
    await guest.run(first);
    const read = async () => (await guest.conversation(conversationId)).body;
    const ask = async (text: string, replaces?: string, attachments?: object[]) =>
      guest.run(guest.chat(text, { conversationId, replaces, input: { text, attachments } as never }));
    const firstId = async () => (await read()).messages[0]!.id;
    await ask('And in reverse?');
    assert.equal((await read()).title, 'How do I sort?');
    await ask('How do I filter?', await firstId());
    assert.equal((await read()).title, 'How do I filter?');
    const command = { kind: 'terminal', path: 'npm test', text: 'failing: 1' };
    await ask('', await firstId(), [command, A_FILE]);
    assert.equal((await read()).title, 'About a.ts', 'of its file, not of a command');
    const kept = (await read()).messages[0]!.attachments![1]!.id;
    await ask(' ', await firstId(), [{ id: kept }]);
    assert.equal((await read()).title, 'About a.ts', 'of what it kept');
    await ask('Mapping', await firstId());
    await ask('And then?');
    await ask('And after that?', (await read()).messages[2]!.id);
    assert.equal((await read()).title, 'Mapping', 'another message gives no title');
    await guest.run(guest.chat('', { conversationId, replaces: (await read()).messages[1]!.id }));
    assert.equal((await read()).title, 'Mapping', 'another answer changes nothing');
    await guest.request('PATCH', `/api/conversations/${conversationId}`, { title: 'Mine' });
    await ask('Reducing', await firstId());
    assert.equal((await read()).title, 'Mine');
  });

  it('is listed with those of its kind', async () => {
    const guest = await server().guest();
    const chat = guest.chat('A question');
    await guest.run(chat);
    const edit = guest.edit('make it 2', 'let a = 1;');
    await guest.run(edit);
    const ids = async (query: string) => (await guest.conversations(query)).body.conversations.map(({ id }) => id);
    assert.deepEqual(await ids('?kind=chat'), [chat.conversationId]);
    assert.deepEqual(await ids('?kind=edit'), [edit.conversationId]);
    assert.equal((await ids('')).length, 2);
    assert.deepEqual(await ids('?kind=edit&search=question'), []);
    assert.deepEqual(await ids('?kind=chat&search=question'), [chat.conversationId]);
    assert.equal((await guest.conversations('?kind=other')).status, 400);
  });

  it('is renamed, exported as Markdown and deleted', async () => {
    const guest = await server().guest();
    const request = guest.chat('export me');
    await guest.run(request);
    const path = `/api/conversations/${request.conversationId}`;
    assert.equal((await guest.request('PATCH', path, { title: '  A *good* title  ' })).status, 204);
    const exported = await guest.request<string>('GET', `${path}/export`);
    assert.match(exported.headers.get('content-type') ?? '', /text\/markdown/);
    assert.match(exported.body, /^# A \*good\* title\n[\s\S]*## You[\s\S]*export me[\s\S]*## double[\s\S]*Hello\./);
    assert.equal((await guest.request('DELETE', path)).status, 204);
    assert.equal((await guest.request('DELETE', path)).status, 404);
    assert.deepEqual((await guest.conversations()).body.conversations, []);
  });

  it('is exported with the headings of answers below those of their messages, and code as it is', async () => {
    const guest = await server().guest();
    server().double.script({ text: '# Plan\n\n###### Deep\n\n````sh\n# no heading\n```\n# nor this\n````\n## Then' });
    const request = guest.chat('# Mine');
    await guest.run(request);
    const { body } = await guest.request<string>('GET', `/api/conversations/${request.conversationId}/export`);
    const headings = body.split('\n').filter((line) => line.startsWith('#'));
    assert.deepEqual(
      headings.map((line) => line.replace(/, .*/, '')),
      [
        '# # Mine',
        '## You',
        '### Mine',
        '## double',
        '### Plan',
        '###### Deep',
        '# no heading',
        '# nor this',
        '#### Then',
      ],
    );
  });

  it('belongs to an edit as well: its prompt has the place, its title the file', async () => {
    const guest = await server().guest();
    server().double.script({ text: '```ts\nlet a = 2;\n```' });
    const request = guest.edit('make it 2', 'let a = 1;', { before: '// top', after: '// end' });
    const events = await guest.run(request);
    assert.match(textOf(events), /let a = 2;/);
    const prompt = server().double.bill.at(-1)!.body.messages!;
    assert.match(prompt[0]!.content, /one fenced block and nothing else/);
    assert.match(prompt[1]!.content, /Instruction: make it 2\nFile: a\.ts \(typescript\)/);
    const { body } = await guest.conversation(request.conversationId);
    assert.equal(body.title, 'make it 2 · a.ts');
    assert.deepEqual(body.messages[0]!.attachments?.[0]?.range, { start: 0, end: 0 });
  });

  it('adds up in what was spent since a time, most first, and only for its owner', async () => {
    const guest = await server().guest();
    const since = new Date(Date.now() - 1000).toISOString();
    const dear = guest.chat('dear');
    await guest.run(dear);
    await guest.run(guest.chat('dear again', { conversationId: dear.conversationId }));
    await guest.run(guest.chat('cheap'));
    const { body } = await guest.request<{ conversations: { title: string; runs: number }[]; runs: number }>(
      'GET',
      `/api/runs/spending?since=${since}`,
    );
    assert.deepEqual(
      [body.runs, body.conversations.map((c) => [c.title, c.runs])],
      [
        3,
        [
          ['dear', 2],
          ['cheap', 1],
        ],
      ],
    );
    const stranger = await server().guest();
    const theirs = await stranger.request<{ runs: number }>('GET', `/api/runs/spending?since=${since}`);
    assert.equal(theirs.body.runs, 0);
  });
});
