import assert from 'node:assert/strict';
import { csvLine } from '../../../server/platform/values/csv.ts';
import type { Client } from '../../support/client.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';
import { unzip } from '../../support/zip.ts';

const download = async (client: Client) => {
  const headers = await client.credentials('GET', '/api/account/export');
  const response = await fetch(`${client.url}/api/account/export`, { headers });
  return { response, files: await unzip(Buffer.from(await response.arrayBuffer())) };
};

onBothEnginesWithSignIn('an export', (world) => {
  it('has all that is kept of an account, to read and for machines', async () => {
    const { double } = world().server();
    const { member } = await world().signIn(somebody({ name: 'Ada' }));
    double.script({ text: 'First answer.' });
    const asked = member.chat('Why?', {
      input: { text: 'Why?', attachments: [{ kind: 'file', path: 'src/a.ts', text: 'const a = 1;\n' }] },
    });
    await member.run(asked);
    const [, answer] = (await member.conversation(asked.conversationId)).body.messages;
    double.script({ thoughts: ['# A plan\n\n```\nlet a;\r</details>\n'], text: 'Second answer.' });
    await member.run(member.chat('', { conversationId: asked.conversationId, replaces: answer!.id }));
    const { response, files } = await download(member);
    assert.equal(response.headers.get('content-type'), 'application/zip');
    assert.match(response.headers.get('content-disposition')!, /^attachment; filename="perigee-\d{4}-\d\d-\d\d\.zip"$/);
    const names = [...files.keys()].sort();
    assert.deepEqual(
      names.map((name) => name.replace(/\d{4}-\d\d-\d\d-Why-[0-9a-f-]{36}/, 'X')),
      [
        ...['README.md', 'conversations/X.json', 'conversations/X.md', 'profile.json', 'requests.json'],
        ...['sessions.json', 'token-log.csv', 'token-log.json'],
      ],
    );
    const file = (pattern: RegExp) => files.get(names.find((name) => pattern.test(name))!)!;
    const conversation = JSON.parse(file(/Why.*json/));
    assert.deepEqual(
      conversation.messages.map((m: { text: string; supersededAt?: string }) => [m.text, m.supersededAt !== undefined]),
      [
        ['Why?', false],
        ['First answer.', true],
        ['Second answer.', false],
      ],
    );
    assert.equal(conversation.messages[0].attachments[0].text, 'const a = 1;\n');
    const { text, ms } = conversation.messages[2].thinking;
    assert.deepEqual([text, Number.isInteger(ms)], ['# A plan\n\n```\nlet a;\r</details>\n', true]);
    assert.match(
      file(/Why.*md/),
      /\n> \*Thought(?: for 1 s)?\*\n>\n> ### A plan\n>\n> ```\n> let a;\n> <\/details>\n\nSecond answer\.\n$/,
      'marked, and none of its marks reaches the answer',
    );
    assert.doesNotMatch(file(/Why.*md/), /First answer\./);
    assert.equal(JSON.parse(file(/profile/)).account.name, 'Ada');
    assert.equal(JSON.parse(file(/sessions/)).length, 1);
    assert.equal(JSON.parse(file(/token-log\.json/)).length, 3);
    assert.equal(
      file(/token-log\.csv/)
        .trim()
        .split('\r\n').length,
      4,
    );
  });

  it('has no other account’s', async () => {
    const [ada, eve] = [(await world().signIn(somebody())).member, (await world().signIn(somebody())).member];
    await eve.run(eve.chat('a secret of Eve’s'));
    const { files } = await download(ada);
    assert.doesNotMatch([...files.values()].join('\n'), /secret of Eve/);
  });

  it('names files so that no title leads out of their folder, or collides with another', async () => {
    const { member } = await world().signIn(somebody());
    for (const title of ['../../etc/passwd', 'C:\\x\0y', '日本語の題', '...', 'twin', 'twin'])
      await member.run(member.chat(title));
    const { files } = await download(member);
    const names = [...files.keys()].filter((name) => name.startsWith('conversations/'));
    assert.equal(names.length, 12);
    for (const name of names)
      assert.match(name, /^conversations\/\d{4}-\d\d-\d\d(-[\p{L}\p{N}-]+)?-[0-9a-f-]{36}\.(json|md)$/u);
  });

  it('of many messages is read page by page, each once and in order', async () => {
    const { member } = await world().signIn(somebody());
    const conversationId = crypto.randomUUID();
    for (let n = 0; n < 25; n++) await member.run(member.chat(`Question ${n}`, { conversationId }));
    const { files } = await download(member);
    const name = [...files.keys()].find((one) => /Question-0.*json$/.test(one))!;
    const { messages } = JSON.parse(files.get(name)!) as { messages: { role: string; text: string }[] };
    assert.deepEqual(
      messages.filter(({ role }) => role === 'user').map(({ text }) => text),
      Array.from({ length: 25 }, (_, n) => `Question ${n}`),
    );
  });

  it('is for suspended people, for those who go, and for guests', async () => {
    const { db, clock } = world().server();
    const { member } = await world().signIn(somebody());
    await db.write((tx) =>
      tx.updateTable('account').set({ suspended_at: clock.now() }).where('id', '=', member.accountId).execute(),
    );
    await member.request('POST', '/api/account/closing');
    for (const client of [member, await world().server().guest()])
      assert.ok((await download(client)).files.has('profile.json'));
  });

  it('needs somebody who is signed in', async () => {
    assert.equal((await fetch(`${world().server().url}/api/account/export`)).status, 401);
  });
});

describe('a line of a CSV file', () => {
  const CASES: [title: string, cells: Parameters<typeof csvLine>[0], line: string][] = [
    ['is plain where it can be', ['a', 1, null, true], 'a,1,,true'],
    ['quotes commas, quotes and line ends', ['a,b', 'say "x"', 'two\nlines'], '"a,b","say ""x""","two\nlines"'],
    ['makes no formula of a text (CSV injection)', ['=1+1', '+1', '-1', '@SUM(A1)'], "'=1+1,'+1,'-1,'@SUM(A1)"],
    ['nor of one after a tab or a return', ['\t=1', '\r=1'], `'\t=1,"'\r=1"`],
    ['leaves numbers numbers', [-1, 0.5], '-1,0.5'],
  ];
  for (const [title, cells, line] of CASES) it(title, () => assert.equal(csvLine(cells), `${line}\r\n`));
});
