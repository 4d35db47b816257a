import assert from 'node:assert/strict';
import type { AnswerChanges, ApplyState, FromHost, Reading, ShownCheckpoint } from '../../extension/chat/protocol.ts';
import { ago, answer, changed, conversation, guest, running, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

const SEARCH = '<<<<<<< SEARCH\nconst a = 1;\n=======\nconst a = 2;\n>>>>>>> REPLACE';
const BLOCK = `Change it:\n\nsrc/client.ts\n\`\`\`ts\n${SEARCH}\n\`\`\`\n`;
const TWO = `${BLOCK}\nsrc/new.ts\n\`\`\`ts\nexport const b = 2;\n\`\`\`\n`;

describe('chat view: what an answer changes', () => {
  let view: View;
  const code = () => view.page.locator('.code');
  const lines = () => view.page.locator('.diff .line');

  eachView((opened) => {
    view = opened;
  });

  const changes = (messageId: string, part: Partial<AnswerChanges>): FromHost => ({
    type: 'changes',
    value: { [messageId]: { blocks: {}, checkpoints: [], ...part } },
  });
  const checkpoint = (...files: Partial<ShownCheckpoint['files'][number]>[]): ShownCheckpoint => ({
    id: crypto.randomUUID(),
    at: ago(90_000),
    files: files.map((file) => ({
      ...{ path: 'src/client.ts', change: 'updated', added: 1, removed: 1, isTakenBack: false },
      ...file,
    })),
  });

  it('is shown as lines that come and go, told by signs and not by colour alone', async () => {
    await view.tell(surroundings(), conversation([user('Go'), answer(BLOCK)]));
    assert.deepEqual(
      (await lines().allInnerTexts()).map((line) => line.trimEnd()),
      ['−const a = 1;', '+const a = 2;'],
    );
    assert.equal(await view.page.locator('.diff').getByRole('deletion').count(), 1);
    assert.equal(await view.page.locator('.diff').getByRole('insertion').count(), 1);
    assert.equal(await code().locator('figcaption .what').innerText(), 'client.ts');
    assert.equal(await code().locator('.counts').getAttribute('aria-label'), 'Lines: 1 added, 1 removed');
    assert.equal(await view.page.locator('.diff .new .hljs-keyword').innerText(), 'const');
    assert.ok(!(await view.page.locator('.answer').innerText()).includes('src/client.ts'), 'the path is said once');
  });

  it('is shown while it comes, and offered when its fence closes', async () => {
    const coming = running();
    await view.tell(surroundings(), conversation([user('Go'), coming]));
    const upTo = (end: string): FromHost => ({
      type: 'text',
      messageId: coming.id,
      text: BLOCK.slice(0, BLOCK.indexOf(end) + end.length),
      at: 0,
    });
    const apply = code().getByRole('button', { name: /^Apply/ });
    await view.tell(upTo('const a = 2;'));
    assert.deepEqual(
      (await lines().allInnerTexts()).map((line) => line.trimEnd()),
      ['−const a = 1;', '+const a = 2;'],
    );
    assert.equal(await apply.count(), 0);
    await view.tell(upTo('>>>>>>> REPLACE\n```\n'));
    assert.equal(await apply.count(), 1);
    assert.equal(await view.page.getByRole('button', { name: /^Apply all/ }).count(), 0);
  });

  it('is shown as it was written when it is broken', async () => {
    const text = `\`\`\`ts src/a.ts\n${SEARCH.replace('=======\n', '')}\n\`\`\``;
    await view.tell(surroundings(), conversation([user('Go'), answer(text)]));
    assert.equal(await lines().count(), 0);
    assert.match(await code().locator('pre').innerText(), /<<<<<<< SEARCH/);
  });

  it('goes to the host by one click, and by the keyboard, with its text and its file', async () => {
    const reply = answer(BLOCK);
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    await code().getByRole('button', { name: 'Apply: client.ts' }).click();
    const { block, ...first } = await view.until('apply');
    assert.deepEqual(first, {
      ...{ type: 'apply', messageId: reply.id, text: SEARCH, language: 'ts', path: 'src/client.ts' },
    });
    await view.page.keyboard.press('Enter');
    assert.equal((await view.until('apply', 2)).block, block);
  });

  it('is not offered of what a shell is told or prints', async () => {
    const text = '```sh\nnpm test\n```\n\n```\n2 passing\n```\n\n```ts\nconst a = 1;\n```';
    await view.tell(surroundings(), conversation([user('Go'), answer(text)]));
    const offered = await code().evaluateAll((all) => all.map((one) => one.querySelector('.apply') !== null));
    assert.deepEqual(offered, [false, false, true]);
  });

  it('tells how far it has come in the same place, without taking the focus, and to screen readers', async () => {
    const reply = answer(BLOCK);
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    await code()
      .getByRole('button', { name: /^Apply/ })
      .click();
    const { block } = await view.until('apply');
    const at = async (state: ApplyState, name: string) => {
      await view.tell(changes(reply.id, { blocks: { [block]: state } }));
      const button = code().getByRole('button', { name: `${name}: client.ts` });
      assert.ok(await button.evaluate((element) => element === document.activeElement), name);
      return button;
    };
    const busy = await at({ state: 'applying' }, 'Applying');
    await busy.click({ force: true });
    assert.equal((await view.said()).filter(({ type }) => type === 'apply').length, 1);
    await (await at({ state: 'review' }, 'In review')).click();
    assert.deepEqual(await view.until('showReview'), { type: 'showReview', messageId: reply.id, block });
    await at({ state: 'applied' }, 'Applied');
    assert.deepEqual(await view.page.evaluate('fake.heard'), ['In review in the editor']);
  });

  it('gives the keys to the editor when its review begins, unless the user went on to something else', async () => {
    for (const staysThere of [true, false]) {
      const reply = answer(BLOCK);
      await view.tell(surroundings(), conversation([user('Go'), reply]));
      await code().getByRole('button', { name: 'Apply: client.ts' }).click();
      const { block } = await view.until('apply', staysThere ? 1 : 2);
      if (!staysThere) await view.composer.focus();
      for (const state of ['applying', 'review', 'applied', 'review'] as const)
        await view.tell(changes(reply.id, { blocks: { [block]: { state } } }));
      const shows = (await view.said()).filter(({ type }) => type === 'showReview');
      assert.equal(shows.length, 1, 'once, and for the first answer alone');
    }
  });

  it('has the one accent of the view: all changes of the last answer, else its only one', async () => {
    const accented = async () => {
      const colour = await view.composer.evaluate((field) => {
        const probe = field.ownerDocument.createElement('button');
        probe.className = 'button';
        field.ownerDocument.body.append(probe);
        const { backgroundColor } = getComputedStyle(probe);
        probe.remove();
        return backgroundColor;
      });
      const buttons = view.page.locator('.answer .apply');
      const colours = await buttons.evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
      const labels = await buttons.allInnerTexts();
      return labels.filter((_, i) => colours[i] === colour);
    };
    const quoted = answer('It is:\n\n```ts\nconst a = 1;\n```\n');
    await view.tell(surroundings(), conversation([user('Go'), answer(TWO), user('And?'), answer(BLOCK)]));
    await view.page.locator('.last .apply').waitFor();
    assert.deepEqual(await accented(), ['Apply']);
    await view.tell(conversation([user('Go'), answer(BLOCK), user('And?'), answer(TWO)]));
    await view.page.locator('.last .apply-all').waitFor();
    assert.deepEqual(await accented(), ['Apply all (2 files)']);
    await view.tell(conversation([user('Go'), answer(BLOCK), user('And?'), quoted]));
    await code().getByRole('button', { name: 'Apply: ts' }).waitFor();
    assert.deepEqual(await accented(), [], 'an excerpt that names no file');
  });

  it('is followed in a block that came piece by piece', async () => {
    const coming = running();
    await view.tell(surroundings(), conversation([user('Go'), coming]));
    await view.tell({ type: 'text', messageId: coming.id, text: BLOCK.slice(0, BLOCK.indexOf('=======')), at: 0 });
    await lines().first().waitFor();
    await view.tell(changed([{ ...coming, state: 'complete', text: BLOCK, chargedMicro: 1 }]));
    await code().getByRole('button', { name: 'Apply: client.ts' }).click();
    const { block } = await view.until('apply');
    await view.tell(changes(coming.id, { blocks: { [block]: { state: 'review' } } }));
    assert.deepEqual(await code().locator('.apply').allInnerTexts(), ['In review']);
  });

  it('says why it was not applied, and the ways on', async () => {
    const reply = answer(BLOCK);
    await view.tell(surroundings(), conversation([user('Go'), reply], { draft: 'Mine' }));
    await code()
      .getByRole('button', { name: /^Apply/ })
      .click();
    const { block } = await view.until('apply');
    await view.tell(changes(reply.id, { blocks: { [block]: { state: 'refused', why: 'The lines are not there.' } } }));
    const told = code().locator('.apply-told');
    assert.match(await told.innerText(), /^Not applied\. The lines are not there\./);
    assert.deepEqual(await told.getByRole('button').allInnerTexts(), ['Insert at cursor', 'Ask for a correction']);
    await told.getByRole('button', { name: 'Ask for a correction' }).click();
    assert.match(
      await view.composer.inputValue(),
      /^Mine\n\nYour change to client\.ts could not be applied: The lines/,
    );
    assert.equal((await view.said()).filter(({ type }) => type === 'send').length, 0, 'to send it is the user’s');
    const locked = { state: 'refused', why: 'The file is read-only.', isOfEditor: true } as const;
    await view.tell(changes(reply.id, { blocks: { [block]: locked } }));
    assert.deepEqual(await told.getByRole('button').allInnerTexts(), ['Insert at cursor'], 'no answer can mend that');
    await view.tell(
      changes(reply.id, { blocks: { [block]: { state: 'nothing', why: 'client.ts reads so already.' } } }),
    );
    assert.equal(await told.innerText(), 'client.ts reads so already.');
  });

  it('keeps the button in its place when the reason appears at the end of the chat, and shows the reason whole', async () => {
    for (const lines of [18, 1]) {
      const reply = answer(`\`\`\`ts src/client.ts\n${'const a = 1;\n'.repeat(lines)}\`\`\``);
      await view.tell(surroundings(), conversation([user('a '.repeat(2_000)), reply]));
      const apply = code().getByRole('button', { name: /^Apply/ });
      const top = async () => Math.round((await apply.boundingBox())!.y);
      const before = await top();
      assert.ok(before > 40 && (await view.fromEnd()) < 2, 'it is seen, and so is the end');
      await apply.click();
      const { block } = await view.until('apply', lines === 18 ? 1 : 2);
      await view.tell(changes(reply.id, { blocks: { [block]: { state: 'applying' } } }));
      const why = lines === 18 ? 'The lines are not there.' : 'It has no place. '.repeat(20);
      await view.tell(changes(reply.id, { blocks: { [block]: { state: 'refused', why } } }));
      if (lines === 18) assert.equal(await top(), before);
      const told = (await code().locator('.apply-told').boundingBox())!;
      const end = (await view.page.locator('.transcript').boundingBox())!;
      assert.ok(told.y + told.height <= end.y + end.height, 'the reason is seen whole');
    }
  });

  it('leads on from a file that has no place for it, the best way first, and the ways stay', async () => {
    const reply = answer('```ts src/client.ts\nfunction f() {}\n```');
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    await code()
      .getByRole('button', { name: /^Apply/ })
      .click();
    const { block } = await view.until('apply');
    const refused = { state: 'refused', why: 'client.ts: it has no place.', file: 'client.ts' } as const;
    await view.tell(changes(reply.id, { blocks: { [block]: refused } }));
    const ways = code().locator('.apply-told').getByRole('button');
    const names = ['Insert at cursor', 'New file', 'Open diff', 'Ask for a correction'];
    assert.deepEqual(await ways.allInnerTexts(), ['Have Perigee place it (uses credits)', ...names]);
    const text = 'function f() {}';
    await ways.nth(0).click();
    assert.deepEqual(await view.until('placeCode'), { type: 'placeCode', messageId: reply.id, block });
    await ways.nth(1).click();
    assert.deepEqual(await view.until('insert'), { type: 'insert', text });
    await ways.nth(2).click();
    assert.deepEqual(await view.until('newFile'), { type: 'newFile', text, languageId: 'typescript' });
    await ways.nth(3).click();
    assert.deepEqual(await view.until('compareCode'), { type: 'compareCode', messageId: reply.id, block, text });
    assert.equal(await ways.count(), 5, 'what was tried can be tried again');
    await view.tell(surroundings(guest(7)));
    assert.equal(await ways.first().innerText(), 'Have Perigee place it (1 message)');
  });

  it('asks how a block is meant, and applies it so', async () => {
    const reply = answer('```ts src/client.ts\nfunction f() {}\n```');
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    await code()
      .getByRole('button', { name: /^Apply/ })
      .click();
    const { block, ...asked } = await view.until('apply');
    const readings: Reading[] = ['file', 'part'];
    const refused = { state: 'refused', why: 'client.ts: lacks its last line.', file: 'client.ts', readings } as const;
    await view.tell(changes(reply.id, { blocks: { [block]: refused } }));
    const ways = code().locator('.apply-told').getByRole('button');
    assert.deepEqual((await ways.allInnerTexts()).slice(0, 2), ['Replace the file', 'Keep them']);
    await ways.nth(0).click();
    assert.deepEqual(await view.until('apply', 2), { ...asked, block, reading: 'file' });
    await ways.nth(1).click();
    assert.deepEqual(await view.until('apply', 3), { ...asked, block, reading: 'part' });
  });

  it('is applied as a whole where an answer is for several files', async () => {
    const reply = answer(TWO);
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    const all = view.page.getByRole('button', { name: 'Apply all (2 files)' });
    await all.click();
    const { blocks: named, ...asked } = await view.until('applyAll');
    assert.deepEqual(asked, { type: 'applyAll', messageId: reply.id });
    assert.deepEqual(
      named.map(({ block: _, ...one }) => one),
      [
        { text: SEARCH, language: 'ts', path: 'src/client.ts' },
        { text: 'export const b = 2;', language: 'ts', path: 'src/new.ts' },
      ],
    );
    const [first, second] = named.map(({ block }) => block) as [string, string];
    const told = () => code().locator('.apply').allInnerTexts();
    const offered = () => view.page.locator('.apply-all').allInnerTexts();
    const review = { state: 'review' } as const;
    const applied: ApplyState = { state: 'applied', paths: ['root/src/new.ts'] };
    await view.tell(changes(reply.id, { all: { state: 'applying' } }));
    assert.deepEqual(await told(), ['Applying', 'Applying'], 'each is a part of it');
    await view.tell(changes(reply.id, { all: review, blocks: { [first]: review, [second]: review } }));
    await view.page.locator('.apply-all').getByRole('button', { name: 'In review' }).click();
    assert.deepEqual(await view.until('showReview'), { type: 'showReview', messageId: reply.id });
    assert.deepEqual(await told(), ['In review', 'In review']);
    await code().getByRole('button', { name: 'In review: client.ts' }).click();
    assert.deepEqual(await view.until('showReview', 2), { type: 'showReview', messageId: reply.id, block: first });
    await view.tell(changes(reply.id, { all: review, blocks: { [first]: review, [second]: applied } }));
    assert.deepEqual(await told(), ['In review', 'Applied'], 'one after the other');
    await view.tell(changes(reply.id, { blocks: { [first]: { state: 'applied' }, [second]: applied } }));
    assert.deepEqual(await told(), ['Applied', 'Applied']);
    assert.deepEqual(await offered(), [], 'what was applied is said once');
    await view.tell(changes(reply.id, { blocks: { [second]: applied } }));
    assert.deepEqual(await told(), ['Apply', 'Applied'], 'one of them was rejected');
    assert.deepEqual(await offered(), ['Apply the other change']);
    await view.tell(changes(reply.id, { blocks: { [second]: review } }));
    assert.deepEqual(await offered(), ['Apply the other change'], 'what is in review is not counted either');
    await view.tell(changes(reply.id, { blocks: { [first]: review, [second]: applied } }));
    assert.deepEqual(await offered(), ['In review']);
    await view.tell(changes(reply.id, {}));
    assert.deepEqual(await told(), ['Apply', 'Apply']);
    assert.deepEqual(await offered(), ['Apply all (2 files)']);
  });

  it('is taken with the others where it stands in a list, and counted', async () => {
    const list = `1. In src/client.ts:\n\n${`\`\`\`ts\n${SEARCH}\n\`\`\``.replaceAll(/^/gm, '   ')}\n`;
    await view.tell(surroundings(), conversation([user('Go'), answer(`${TWO}\n${list}`)]));
    await view.page.getByRole('button', { name: 'Apply all (3 changes)' }).click();
    assert.deepEqual(
      (await view.until('applyAll')).blocks.map(({ path }) => path),
      ['src/client.ts', 'src/new.ts', undefined],
    );
  });

  it('is offered with the others as long as one of its files is left', async () => {
    const both = `*** Begin Patch\n*** Delete File: src/a.ts\n*** Add File: src/b.ts\n+const b = 1;\n*** End Patch`;
    const reply = answer(`${BLOCK}\n\`\`\`diff\n${both}\n\`\`\`\n`);
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    await view.page.getByRole('button', { name: /^Apply all/ }).click();
    const [first, second] = (await view.until('applyAll')).blocks.map(({ block }) => block) as [string, string];
    const offered = async (...paths: string[]) => {
      const done: Record<string, ApplyState> = { [first]: { state: 'applied' }, [second]: { state: 'applied', paths } };
      await view.tell(changes(reply.id, { blocks: done }));
      return view.page.locator('.apply-all').allInnerTexts();
    };
    assert.deepEqual(await offered('src/a.ts'), ['Apply the other change']);
    assert.deepEqual(await offered('src/a.ts', 'src/b.ts'), []);
  });

  it('is called applied in part where some of it was rejected', async () => {
    const both = `*** Begin Patch\n*** Delete File: src/a.ts\n*** Add File: src/b.ts\n+const b = 1;\n*** End Patch`;
    const reply = answer(`${BLOCK}\n\`\`\`diff\n${both}\n\`\`\`\n`);
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    await view.page.getByRole('button', { name: /^Apply all/ }).click();
    const [first, second] = (await view.until('applyAll')).blocks.map(({ block }) => block) as [string, string];
    const tell = async (firstState: ApplyState, paths: string[]) => {
      await view.tell(changes(reply.id, { blocks: { [first]: firstState, [second]: { state: 'applied', paths } } }));
      return code().locator('.apply').allInnerTexts();
    };
    assert.deepEqual(await tell({ state: 'applied', isPart: true }, ['src/a.ts']), [
      'Applied in part',
      'Applied in part',
    ]);
    assert.deepEqual(await tell({ state: 'applied' }, ['src/a.ts', 'src/b.ts']), ['Applied', 'Applied']);
  });

  it('is not offered before the answer has ended as a whole, nor of code that was cut off', async () => {
    const coming = running({ text: TWO });
    await view.tell(surroundings(), conversation([user('Go'), coming]));
    assert.equal(await view.page.getByRole('button', { name: /^Apply all/ }).count(), 0);
    const cut = `${BLOCK}\nsrc/new.ts\n\`\`\`ts\nexport const`;
    await view.tell(changed([{ ...coming, state: 'stopped', text: cut, chargedMicro: 1 }]));
    const offered = await code().evaluateAll((every) => every.map((one) => one.querySelector('.apply') !== null));
    assert.deepEqual(offered, [true, false]);
  });

  it('is shown of edits too, and offered unless it is in the editor already', async () => {
    const attached = { id: 'a', path: 'src/client.ts', languageId: 'typescript', characters: 5 };
    const edit = (kind: 'file' | 'selection') => user('Do', { kind: 'edit', attachments: [{ ...attached, kind }] });
    const fenceless = `\`\`\`\n${SEARCH}\n\`\`\``;
    await view.tell(surroundings(), conversation([edit('file'), answer(fenceless, { kind: 'edit' })]));
    assert.equal(await code().locator('figcaption .what').innerText(), 'client.ts');
    assert.equal(
      await code()
        .getByRole('button', { name: /^Apply/ })
        .count(),
      1,
    );
    const replacement = answer('```ts\nconst a = 2;\n```', { kind: 'edit' });
    await view.tell(changed([edit('selection'), replacement]));
    assert.equal(await code().last().locator('.what').innerText(), 'ts · client.ts');
    assert.equal(
      await code()
        .last()
        .getByRole('button', { name: /^Apply/ })
        .count(),
      0,
    );
  });

  it('can be taken back under its answer once it was accepted, and applied again', async () => {
    const reply = answer(BLOCK, { kind: 'edit' });
    await view.tell(surroundings(), conversation([user('Go', { kind: 'edit' }), reply]));
    await view.tell({ type: 'changes', value: {} });
    const one = checkpoint({}, { path: 'src/new.ts', change: 'created', removed: 0 });
    await view.tell(changes(reply.id, { checkpoints: [one] }));
    const row = view.page.locator('.checkpoints li');
    assert.equal(await row.innerText(), 'Applied to client.ts and 1 more · +2 −1 · 1 min ago · Take back');
    assert.equal(await row.locator('[title]').first().getAttribute('title'), 'src/client.ts +1 −1\nsrc/new.ts, new +1');
    await row.getByRole('button', { name: 'Take back from client.ts and 1 more, +2 −1, 1 min ago' }).click();
    assert.deepEqual(await view.until('takeBack'), { type: 'takeBack', checkpointId: one.id });
    const partly = { ...one, files: [one.files[0]!, { ...one.files[1]!, isTakenBack: true }] };
    await view.tell(changes(reply.id, { checkpoints: [partly] }));
    assert.equal(await row.innerText(), 'Applied to client.ts · +1 −1 · 1 taken back · 1 min ago · Take back');
    const back = { ...one, files: one.files.map((file) => ({ ...file, isTakenBack: true })) };
    await view.tell(changes(reply.id, { checkpoints: [back] }));
    assert.equal(await row.innerText(), 'Taken back from client.ts and 1 more · +2 −1 · 1 min ago · Apply again');
    await row.getByRole('button', { name: 'Apply again to client.ts and 1 more, +2 −1, 1 min ago' }).click();
    assert.deepEqual(await view.until('applyAgain'), { type: 'applyAgain', checkpointId: one.id });
    assert.deepEqual(await view.page.evaluate('fake.heard'), ['Applied', 'Taken back']);
  });

  it('is told from others of the same file by where it is and how much it is', async () => {
    const reply = answer(BLOCK);
    await view.tell(surroundings(), conversation([user('Go'), reply]));
    const rows = [
      checkpoint({ line: 3 }),
      checkpoint({ line: 41, added: 12 }),
      checkpoint({ change: 'deleted', added: 0, removed: 4 }),
    ];
    await view.tell(changes(reply.id, { checkpoints: rows }));
    assert.deepEqual(await view.page.locator('.checkpoints li').allInnerTexts(), [
      'Applied to client.ts · line 3 +1 −1 · 1 min ago · Take back',
      'Applied to client.ts · line 41 +12 −1 · 1 min ago · Take back',
      'Applied to client.ts · deleted −4 · 1 min ago · Take back',
    ]);
  });
});
