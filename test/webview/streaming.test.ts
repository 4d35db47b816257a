import assert from 'node:assert/strict';
import { changed, conversation, longAnswer, running, surroundings, user } from './samples.ts';
import { sharedHarness } from './shared.ts';
import type { Harness, View } from './view.ts';

describe('chat view: a streamed answer', () => {
  let harness: Harness;
  let view: View;
  const answering = running();
  const text = (part: string, at: number) => ({ type: 'text' as const, messageId: answering.id, text: part, at });
  const markdown = () => view.page.locator('.answer .markdown');

  before(async function () {
    this.timeout(180_000);
    harness = await sharedHarness();
  });
  beforeEach(async () => {
    view = await harness.open();
    await view.tell(surroundings(), conversation([user('Go'), answering]));
  });
  afterEach(async () => {
    const broken = [...view.errors, ...((await view.page.evaluate('fake.violations')) as string[])];
    await view.close();
    assert.deepEqual(broken, []);
  });

  it('grows piece by piece', async () => {
    await view.tell(text('One **bo', 0), text('ld** word', 8));
    assert.equal(await markdown().innerText(), 'One bold word');
    assert.equal(await markdown().locator('strong').innerText(), 'bold');
  });

  it('cuts what stands behind the place where a piece begins', async () => {
    await view.tell(text('One two three', 0), text('TWO', 4));
    assert.equal(await markdown().innerText(), 'One TWO');
  });

  it('waits with a piece whose beginning has not come, and with one whose message has not', async () => {
    const later = running();
    await view.tell(text(' world', 5), { type: 'text', messageId: later.id, text: 'Early', at: 0 });
    assert.equal(await markdown().innerText(), '');
    await view.tell(text('Hello', 0), changed([{ ...answering }, later]));
    assert.deepEqual(await markdown().allInnerTexts(), ['Hello world', 'Early']);
  });

  it('takes the final text as the whole truth, also over pieces that come late', async () => {
    await view.tell(text('Hel', 0), changed([{ ...answering, state: 'complete', text: 'Hello', chargedMicro: 1 }]));
    await view.tell(text('lo again', 3));
    assert.equal(await markdown().innerText(), 'Hello');
  });

  it('does not get shorter when its message is told again with less text', async () => {
    await view.tell(text('Hello', 0), changed([{ ...answering, text: 'He' }]));
    assert.equal(await markdown().innerText(), 'Hello');
  });

  it('leaves blocks that are done alone while it goes on', async () => {
    await view.tell(text('First.\n\nSecond.\n\nThird.\n\nFou', 0));
    await view.page.evaluate(`document.querySelector('.answer .block').firstElementChild.mark = true`);
    await view.tell(text('rth.\n\nFifth.', 28));
    assert.equal(await view.page.evaluate(`document.querySelector('.answer .block').firstElementChild.mark`), true);
    assert.equal(await markdown().innerText(), 'First.\n\nSecond.\n\nThird.\n\nFourth.\n\nFifth.');
  });

  it('reads the same in many pieces as in one', async () => {
    const whole = longAnswer(700);
    const pieces = [];
    for (let at = 0; at < whole.length; at += 37) pieces.push(text(whole.slice(at, at + 37), at));
    for (const piece of pieces) await view.page.evaluate(`fake.post(${JSON.stringify(piece)})`);
    await view.tell();
    await view.tell(changed([{ ...answering, state: 'complete', text: whole }]));
    const streamed = await markdown().innerHTML();
    const other = await harness.open();
    await other.tell(surroundings(), conversation([{ ...answering, state: 'complete', text: whole }]));
    assert.equal(streamed, await other.page.locator('.answer .markdown').innerHTML());
    await other.close();
  });

  it('colours code when its fence closes, not before', async () => {
    await view.tell(text('```ts src/a.ts\nconst a = 1;\n', 0));
    assert.equal(await view.page.locator('.code .hljs-keyword').count(), 0);
    assert.equal(await view.page.locator('.code figcaption .what').innerText(), 'ts · a.ts');
    await view.tell(text('```\n', 28));
    assert.equal(await view.page.locator('.code .hljs-keyword').innerText(), 'const');
  });

  it('offers a code block to be copied, inserted, and made a file', async () => {
    await view.tell(text('Change `src/a.py`:\n\n```py\nprint(1)\n```\n', 0));
    const code = view.page.locator('.code');
    assert.equal(await code.locator('.what').innerText(), 'py · a.py');
    const before = await code.boundingBox();
    await code.hover();
    await code.getByRole('button', { name: 'Copy' }).click();
    await code.getByRole('button', { name: 'Insert at cursor' }).click();
    await code.getByRole('button', { name: 'New file' }).click();
    assert.deepEqual(await code.boundingBox(), before, 'buttons appear without moving anything');
    assert.deepEqual(await view.until('copy'), { type: 'copy', text: 'print(1)' });
    assert.deepEqual(await view.until('insert'), { type: 'insert', text: 'print(1)' });
    assert.deepEqual(await view.until('newFile'), { type: 'newFile', text: 'print(1)', languageId: 'python' });
  });

  it('offers a shell block to a terminal and a diagram to the preview once they are complete, and nothing else', async () => {
    const [shell, diagram] = ['```bash\nnpm test\n', '```mermaid\ngraph TD\n'];
    const terminal = view.page.getByRole('button', { name: 'Insert into terminal' });
    const preview = view.page.getByRole('button', { name: 'Open preview' });
    await view.tell(text(shell, 0));
    assert.equal(await terminal.count(), 0, 'half a command is none');
    const whole = `${shell}\`\`\`\n\n${diagram}\`\`\`\n\n\`\`\`ts\nconst a = 1;\n\`\`\`\n`;
    await view.tell(text(whole, 0));
    await terminal.click();
    assert.deepEqual(await view.until('insertInTerminal'), {
      ...{ type: 'insertInTerminal', text: 'npm test', language: 'bash' },
    });
    await preview.click();
    assert.deepEqual(await view.until('previewDiagram'), {
      ...{ type: 'previewDiagram', text: 'graph TD', language: 'mermaid' },
    });
    assert.deepEqual([await terminal.count(), await preview.count()], [1, 1]);
  });

  it('offers the same for code inside a list', async () => {
    await view.tell(text('1. first\n\n   ```sh\n   npm test\n   ```\n2. second', 0));
    await view.page.locator('li .code').getByRole('button', { name: 'Copy' }).click();
    assert.equal((await view.until('copy')).text, 'npm test');
  });

  it('tells screen readers that it began, and what it said, once', async () => {
    await view.tell(text('Some **words**\n\n', 0));
    await view.tell(text('```js\n1\n```', 16));
    await view.tell(changed([{ ...answering, state: 'complete', text: 'Some **words**\n\n```js\n1\n```' }]));
    assert.deepEqual(await view.page.evaluate('fake.heard'), ['Answering', 'Answer: Some words\nCode block, js.']);
    assert.equal(await view.page.getByRole('log').getAttribute('aria-live'), 'off');
  });
});
