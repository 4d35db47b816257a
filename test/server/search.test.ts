import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { gramsFor, OVERLAP, PIECE } from '../../server/conversations/grams.ts';
import { indexDue } from '../../server/conversations/search.ts';
import { type Database, TookTooLong } from '../../server/platform/db/database.ts';
import type { Client } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';
import type { TestServer } from '../support/server.ts';

/** What waits in the database until somebody ends it. */
const SLEEP = sql<{ n: number }>`select pg_sleep(60)`;

const indexAll = (db: Database) => indexDue(db, new AbortController().signal);

interface Said {
  title: string;
  texts: string[];
  superseded?: string[];
}

/** Stores conversations past the gateway: their ids, oldest first. */
async function store(db: Database, accountId: string, all: readonly Said[]): Promise<string[]> {
  const nothing = {
    ...{ run_id: null, state: null, model: null, usage: null, charged: null, reason: null, problem: null },
    ...{ cut_short: null, clamped_to: null, continues: null, device: null, superseded_by: null, tokens: 1, bytes: 1 },
  };
  const ids = all.map(() => randomUUID());
  await db.write(async (tx) => {
    for (const [n, { title, texts, superseded = [] }] of all.entries()) {
      const id = ids[n]!;
      const at = n + 1;
      await tx
        .insertInto('conversation')
        .values({ id, account_id: accountId, title, kind: 'chat', created_at: at, updated_at: at })
        .execute();
      const rows = [
        ...texts.map((text) => ({ text, superseded_at: null })),
        ...superseded.map((text) => ({ text, superseded_at: 1 })),
      ];
      for (const [seq, row] of rows.entries())
        await tx
          .insertInto('message')
          .values({
            ...nothing,
            ...row,
            id: randomUUID(),
            conversation_id: id,
            seq,
            role: 'user',
            kind: 'chat',
            created_at: at,
          })
          .execute();
    }
  });
  return ids;
}

/** What the search is measured by: a part of a text, in any case. */
const has = (text: string, part: string) => text.toLowerCase().includes(part.toLowerCase());

async function found(client: Client, search: string): Promise<string[]> {
  const ids: string[] = [];
  for (let before: string | null | undefined; before !== null; ) {
    const query = `?limit=200&search=${encodeURIComponent(search)}${before ? `&before=${before}` : ''}`;
    const { status, body } = await client.conversations(query);
    assert.equal(status, 200, JSON.stringify(body));
    ids.push(...body.conversations.map(({ id }) => id));
    before = body.before;
  }
  return ids;
}

const SCRIPTS = [
  'the quick brown fox jumps over the lazy dog. THE QUICK_BROWN %20 fox\\n',
  '数据库查询很慢，请优化这个函数。データベースが遅い。カタカナ',
  'Straße, größer, ÄÖÜ äöü; naïve café CAFÉ résumé',
  'İstanbul ıspanak iI ΟΔΥΣΣΕΥΣ οδός Привет МИР',
  '😀👍🏽👨‍👩‍👧 e\u0301 a\u0307 **bold** `code` ~~x~~ | a | b |',
  'مرحبا بالعالم שלום עולם नमस्ते दुनिया 한국어 문장',
].map((text) => Array.from(text));

/** Words of one script or several, so that what is looked for stands in some of them. */
const text = fc
  .array(
    fc.constantFrom(...SCRIPTS).chain((script) => fc.array(fc.constantFrom(...script), { maxLength: 12 })),
    { maxLength: 4 },
  )
  .map((parts) => parts.flat().join(''));

onBothEngines('a search', (server, engine) => {
  const world = (): TestServer => server();

  const onPostgres = engine === 'postgres' ? it : it.skip;
  onPostgres('that loses its connection fails alone; one that finds all connections taken is too slow', async () => {
    const { db } = world();
    const slow = () => db.readBounded(SLEEP.compile(db.read));
    const outcomes = Array.from({ length: 5 }, () => slow().then(String, (error: Error) => error));
    const sleeping = sql<{ pid: number }>`select pid from pg_stat_activity
      where datname = current_database() and query like 'select pg_sleep(60)'`;
    let pids: number[] = [];
    while (pids.length === 0) pids = (await sleeping.execute(db.read)).rows.map(({ pid }) => pid);
    await sql`select pg_terminate_backend(${pids[0]})`.execute(db.read);
    const errors = await Promise.all(outcomes);
    const lost = errors.filter((error) => !(error instanceof TookTooLong));
    assert.equal(lost.length, 1, errors.join('; '));
    assert.match(String(lost[0]), /terminat/);
    const { guest } = await run([{ title: 'Still', texts: ['searchable'] }]);
    await indexAll(db);
    const { status, body } = await guest.request('GET', '/api/conversations?search=searchable');
    assert.deepEqual([status, JSON.stringify(body).includes('Still')], [200, true]);
  });

  const run = async (all: readonly Said[]) => {
    const guest = await world().guest();
    return { guest, ids: await store(world().db, guest.accountId, all) };
  };

  const CASES: [part: string, text: string][] = [
    ['quick', 'The QUICK brown fox'],
    ['CK BR', 'The quick brown fox'],
    ['x', 'the fox'],
    ['数据', '这个数据库很慢'],
    ['库', '这个数据库很慢'],
    ['。', '很慢。'],
    ['100%', 'at 100% of it'],
    ['%', 'at 100% of it'],
    ['_', 'snake_case'],
    ['e_c', 'snake_case'],
    ['\\', 'a\\b'],
    ["'", "it's"],
    ['"', 'say "so"'],
    ['AND OR NOT *', 'x AND OR NOT * y'],
    ['😀', 'hi 😀!'],
    ['👍🏽', 'so 👍🏽.'],
    ['É', 'café'],
    ['straß', 'Hauptstraße'],
    ['ß', 'Hauptstraße'],
    ['bold', 'this is **bold**'],
    ['ld** a', 'is **bold** and'],
    ['мир', 'Привет, МИР'],
    ['ab\n\tcd', 'x ab\n\tcd y'],
    ['한국', '한국어 문장'],
    ['n', 'n'],
  ];
  it('finds any part of a text in any script and case, in messages and in titles, taken into the index or not', async () => {
    const { guest, ids } = await run([
      ...CASES.map(([, text], n) => ({ title: `${n}`, texts: [text] })),
      ...CASES.map(([, title]) => ({ title, texts: ['-'] })),
    ]);
    const all = [...CASES, ...CASES].map(([, text]) => text);
    for (const indexed of [false, true]) {
      if (indexed) await indexAll(world().db);
      for (const [part, text] of CASES) {
        const wanted = ids.filter((_, n) => has(all[n]!, part) || (n < CASES.length && has(`${n}`, part)));
        const seen = await found(guest, part);
        for (const id of wanted) assert.ok(seen.includes(id), `${part} in ${text}, indexed: ${indexed}`);
        assert.ok(wanted.length > 0 && seen.length <= wanted.length + 2, `${part}: ${seen.length} of ${wanted.length}`);
      }
    }
  });

  it('tells the passage: what stands around it in the newest message that has it, in one line and bounded', async () => {
    const filler = 'lorem ipsum dolor '.repeat(10_000);
    const texts: [part: string, text: string, before: RegExp, match: string, after: RegExp][] = [
      ['retry', 'The client must Retry at once.', /^The client must $/, 'Retry', /^ at once\.$/],
      ['needle', `${filler}the needle\n\n\tin it ${filler}`, /^….{10,40}the $/, 'needle', /^ in it lorem .{60,110}…$/],
      ['the end', `${filler}THE END`, /^….{10,40}$/, 'THE END', /^$/],
      ['数据库', `${'。'.repeat(500)}这个数据库很慢`, /^….{30,40}这个$/, '数据库', /^很慢$/],
      ['x', `İİİİİİİİİİ${filler}İx yes`, /İ$/, 'x', /^ yes$/],
      ['a\n\tb', 'so a\n\tb it is', /^so $/, 'a b', /^ it is$/],
      ['turned', 'is \u202Eturned\u202C here', /^is $/, 'turned', /^ here$/],
      ['q'.repeat(300), `so ${'q'.repeat(400)}`, /^so $/, `${'q'.repeat(80)}…`, /^$/],
      ['😀', `${'😀'.repeat(300)}`, /^$/, '😀', /^(😀){30,60}…$/u],
    ];
    const { guest, ids } = await run(
      texts.map(([part, text], n) => ({ title: `${n}`, texts: [`old: ${part}, which is not it`, text, 'newer'] })),
    );
    const only = await store(world().db, guest.accountId, [
      { title: 'Zebra crossing', texts: ['-'], superseded: ['zebra'] },
    ]);
    for (const indexed of [false, true]) {
      if (indexed) await indexAll(world().db);
      for (const [n, [part, , before, match, after]] of texts.entries()) {
        const { body } = await guest.conversations(`?limit=200&search=${encodeURIComponent(part)}`);
        const { passage } = body.conversations.find(({ id }) => id === ids[n])!;
        assert.ok(passage, part);
        assert.equal(passage.match, match);
        assert.match(passage.before, before);
        assert.match(passage.after, after);
        assert.ok(passage.before.length + passage.match.length + passage.after.length < 260);
      }
      const { body } = await guest.conversations('?search=zebra');
      assert.deepEqual(
        body.conversations.map(({ id, passage }) => [id, passage]),
        [[only[0], undefined]],
        'the title has it, and a message that was replaced',
      );
    }
    assert.equal(
      (await guest.conversations()).body.conversations.some(({ passage }) => passage),
      false,
    );
  });

  it('finds exactly what a look at every text finds, whatever the texts and parts', async function () {
    this.timeout(60_000);
    const texts = fc.array(
      fc.record({ title: text, texts: fc.array(text, { maxLength: 3 }), superseded: fc.array(text, { maxLength: 1 }) }),
      {
        minLength: 20,
        maxLength: 20,
      },
    );
    const [all] = fc.sample(texts, { numRuns: 1, seed: 7 });
    const { guest, ids } = await run(all!);
    await indexAll(world().db);
    const parts = fc.tuple(text, fc.nat(), fc.integer({ min: 1, max: 8 }), fc.boolean());
    for (const [other, from, length, own] of fc.sample(parts, { numRuns: 120, seed: 11 })) {
      const source = own ? all![from % all!.length]!.texts.join('') || other : other;
      const part = Array.from(source)
        .slice(from % 10, (from % 10) + length)
        .join('')
        .trim();
      if (part === '') continue;
      const wanted = all!.flatMap(({ title, texts }, n) =>
        [title, ...texts].some((one) => has(one, part)) ? [ids[n]!] : [],
      );
      const seen = await found(guest, part);
      // lower() of PostgreSQL takes some letters for the same that JavaScript keeps apart, and the other way round.
      const odd = engine === 'postgres' && /İ|σ|ς|\u0307/i.test(part);
      if (!odd) assert.deepEqual(seen, wanted.reverse(), JSON.stringify(part));
    }
  });

  it('finds what stands across two pieces of a long message, and at its end', async () => {
    const filler = (n: number) => 'lorem ipsum '.repeat(n).slice(0, n);
    const long = `${filler(PIECE - 20)}the needle in the haystack${filler(2 * PIECE)}${'z'.repeat(OVERLAP)}the end`;
    const { guest, ids } = await run([
      { title: 'long', texts: [long] },
      { title: 'other', texts: [filler(3 * PIECE)] },
    ]);
    await indexAll(world().db);
    const pieces = await sql`select * from search_piece`.execute(world().db.read);
    assert.ok(pieces.rows.length >= 6);
    for (const part of ['the needle in the haystack', 'the end', long.slice(PIECE - 250, PIECE + 250)])
      assert.deepEqual(await found(guest, part), [ids[0]]);
  });

  it('follows what is renamed, answered, replaced, deleted and moved to another account', async () => {
    const guest = await world().guest();
    const eve = await world().guest();
    server().double.script({ text: 'The secret is Zanzibar.' });
    const asked = guest.chat('Where is it?');
    await guest.run(asked);
    const { conversationId } = asked;
    await indexAll(world().db);
    assert.deepEqual(await found(guest, 'zanzibar'), [conversationId]);
    assert.deepEqual(await found(eve, 'zanzibar'), [], 'nobody else’s');
    const { messages } = (await guest.conversation(conversationId)).body;
    server().double.script({ text: 'It is Madagascar.' });
    await guest.run(guest.chat('', { conversationId, replaces: messages[1]!.id }));
    assert.deepEqual(await found(guest, 'zanzibar'), []);
    assert.deepEqual(await found(guest, 'madagascar'), [conversationId], 'before the index has it');
    await indexAll(world().db);
    assert.deepEqual(await found(guest, 'madagascar'), [conversationId]);
    await guest.request('PATCH', `/api/conversations/${conversationId}`, { title: 'Islands' });
    assert.deepEqual(await found(guest, 'ISLAND'), [conversationId]);
    const { db } = world();
    await db.write((tx) =>
      tx.updateTable('conversation').set({ account_id: eve.accountId }).where('id', '=', conversationId).execute(),
    );
    for (const indexed of [false, true]) {
      if (indexed) await indexAll(db);
      assert.deepEqual([await found(guest, 'madagascar'), await found(eve, 'madagascar')], [[], [conversationId]]);
    }
    await eve.request('DELETE', `/api/conversations/${conversationId}`);
    assert.deepEqual(await found(eve, 'madagascar'), []);
    for (const table of ['search_due', 'search_piece', 'attachment', 'edit_input'] as const) {
      const left = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}
        where message_id not in (select id from message)`.execute(db.read);
      assert.equal(Number(left.rows[0]!.n), 0, table);
    }
  });

  it('of 500 letters over a megabyte asks the index for a few of its grams, and finds what has all of it', async function () {
    this.timeout(60_000);
    const word = (n: number) => ((n * 2_654_435_761) >>> 0).toString(36);
    const prose = (n: number, length: number) => {
      let made = '';
      for (let i = n * 100_000; made.length < length; i++) made += `${word(i)} `;
      return made.slice(0, length);
    };
    const { guest, ids } = await run(
      Array.from({ length: 10 }, (_, n) => ({ title: `${n}`, texts: [prose(n, 100_000)] })),
    );
    await indexAll(world().db);
    for (const [part, expected] of [
      [prose(99, 500), []],
      ['a'.repeat(500), []],
      [`${prose(3, 490)}qqqqqqqqqq`, []],
      [prose(3, 400), [ids[3]]],
    ] as const) {
      const grams = gramsFor(part);
      assert.ok(grams.length > 0 && grams.length <= 16, `${grams.length} grams`);
      assert.deepEqual(await found(guest, part), expected);
    }
  });

  it('is refused, with a time to try again, when an account asks without end; nobody else is', async () => {
    const [guest, other] = [await world().guest(), await world().guest()];
    const typed = await Promise.all(
      Array.from({ length: 12 }, (_, n) => guest.conversations(`?search=${'typing on'.slice(0, n + 1)}`)),
    );
    assert.deepEqual(
      typed.map(({ status }) => status),
      Array(12).fill(200),
      'whoever types is not',
    );
    const all = await Promise.all(Array.from({ length: 250 }, () => guest.conversations('?search=x')));
    const refused = all.find(({ status }) => status === 429)!;
    assert.equal(refused.body.code, 'rate_limited');
    assert.equal(refused.body.limit?.name, 'searches');
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    assert.equal((await other.conversations('?search=x')).status, 200);
    assert.equal((await guest.conversations()).status, 200, 'the list is no search');
  });
});
