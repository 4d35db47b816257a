import assert from 'node:assert/strict';
import { BlockReader } from '../../extension/chat/webview/blocks/blocks.ts';
import { spoken } from '../../extension/chat/webview/blocks/spoken.ts';
import { highlight } from '../../extension/chat/webview/markdown/highlight.ts';
import { answer, conversation, longAnswer, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

/** Texts of about n characters that break or stop readers of Markdown which bound nothing. */
const HARD: Record<string, (n: number) => string> = {
  'quotes in a row': (n) => `${'>'.repeat(n)} x`,
  'quotes with blanks': (n) => `${'> '.repeat(n / 2)}x`,
  'quotes that grow by the line': (n) =>
    Array.from({ length: Math.sqrt(n * 2) }, (_, i) => `${'>'.repeat(i)} x`).join('\n'),
  'quotes that go on without a mark': (n) => '> a\nb\n'.repeat(n / 6),
  'lists within lists': (n) => Array.from({ length: Math.sqrt(n) }, (_, i) => `${'  '.repeat(i)}- x`).join('\n'),
  'numbered lists within lists': (n) =>
    Array.from({ length: Math.sqrt(n / 1.5) }, (_, i) => `${'   '.repeat(i)}1. x`).join('\n'),
  'lists in one line': (n) => `${'- '.repeat(n / 2)}x`,
  'lists and quotes in turn': (n) => `${'> - '.repeat(n / 4)}x`,
  'code spans': (n) => '`a` '.repeat(n / 4),
  'code spans without an end': (n) =>
    Array.from({ length: Math.sqrt(n * 2) }, (_, i) => `${'`'.repeat(i + 1)}a`).join(' '),
  brackets: (n) => '['.repeat(n),
  'brackets within each other': (n) => '['.repeat(n / 2) + ']'.repeat(n / 2),
  'links without an end': (n) => '[a]('.repeat(n / 4),
  'pictures without an end': (n) => '!['.repeat(n / 2),
  'link targets': (n) => '[a]: b\n'.repeat(n / 7),
  stars: (n) => '*'.repeat(n),
  'emphasis within emphasis': (n) => '**a *b '.repeat(n / 14) + 'c* d**'.repeat(n / 12),
  'emphasis that only ends': (n) => 'a*'.repeat(n / 2),
  'emphasis that only begins': (n) => '*a **b ***c '.repeat(n / 12),
  underscores: (n) => '_a '.repeat(n / 3),
  tildes: (n) => '~~a '.repeat(n / 4),
  'an address': (n) => `${'a'.repeat(n)}@b`,
  addresses: (n) => 'a@b.'.repeat(n / 4),
  tags: (n) => '<div>'.repeat(n / 5),
  'tags within a line': (n) => `x ${'<b>'.repeat(n / 3)}`,
  'tags without an end': (n) => '<a '.repeat(n / 3),
  comments: (n) => '<!--'.repeat(n / 4),
  entities: (n) => '&amp;'.repeat(n / 5),
  'a table of many rows': (n) => `| a | b |\n|---|---|\n${'| 1 | `x` |\n'.repeat(n / 12)}`,
  'a table of many columns': (n) => `${'|a'.repeat(n / 4)}|\n${'|-'.repeat(n / 4)}|\n`,
  'a heading without an end': (n) => `# ${'a '.repeat(n / 2)}`,
  'one paragraph': (n) => 'word '.repeat(n / 5),
  'one word': (n) => 'a'.repeat(n),
  'blanks within a line': (n) => `a${' '.repeat(n)}b`,
  'one line of code': (n) => `\`\`\`js\n${'x'.repeat(n / 8)}\n\`\`\``,
  'code in many parts': (n) => `\`\`\`json\n${'['.repeat(n)}\n\`\`\``,
  math: (n) => '\\(x\\) $y$ '.repeat(n / 10),
  'math without an end': (n) => '\\( x '.repeat(n / 5),
  'math in lines, without an end': (n) => '\\[\nx\n\n'.repeat(n / 6),
  dollars: (n) => '$a '.repeat(n / 3),
  footnotes: (n) => '[^1] '.repeat(n / 5),
  'emphasis without blanks': (n) => '**注意：**这'.repeat(n / 8),
  'addresses without blanks': (n) => 'https://a.b，'.repeat(n / 12),
  'fences within fences': (n) => '```a\n'.repeat(n / 5),
  'paths of files': (n) => 'src/a.ts:1 `b.ts` '.repeat(n / 18),
  'letters with marks, and joiners': (n) => 'e\u0301\u200d**a\u0301**'.repeat(n / 9),
  'both directions': (n) => 'אב ab '.repeat(n / 6),
  'a mix of marks': (n) => '*`[<_~'.repeat(n / 6),
};

/** Processor time of this process, in ms. */
function took(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user: ours, system } = process.cpuUsage(before);
  return (ours + system) / 1000;
}

function rawOf(text: string): string {
  return new BlockReader()
    .read(text, true)
    .map(({ token }) => token.raw)
    .join('');
}

describe('chat view: hard Markdown is read in time', () => {
  // As much of the most usual answer, in the same run: a slow machine is slow at both.
  const N = 20_000;
  let yardstick = 0;
  before(() => {
    for (let i = 0; i < 3; i++) yardstick = took(() => new BlockReader().read(longAnswer(N / 4), true));
  });

  for (const [name, make] of Object.entries(HARD))
    it(`reads ${name} in about the time of a usual text, and loses nothing of it`, () => {
      const text = make(N);
      rawOf(make(1000));
      const ms = took(() => {
        new BlockReader().read(text, true);
        spoken(text);
      });
      assert.ok(ms < 40 * yardstick + 100, `${ms} ms, a usual text ${yardstick} ms`);
      if (name !== 'link targets') assert.equal(rawOf(text).replace(/\s/g, '').length, text.replace(/\s/g, '').length);
    });

  it('reads what people write as before: eight levels, a paragraph full of emphasis', () => {
    const nested = Array.from({ length: 8 }, (_, i) => `${'  '.repeat(i)}- item ${i}`).join('\n');
    const types = (token: object, found: string[] = []): string[] => {
      const { type, tokens = [], items = [] } = token as { type: string; tokens?: object[]; items?: object[] };
      found.push(type);
      for (const inner of [...tokens, ...items]) types(inner, found);
      return found;
    };
    const [list] = new BlockReader().read(nested, true);
    assert.equal(types(list!.token).filter((type) => type === 'list').length, 8);
    const [paragraph] = new BlockReader().read('a **b** _c_ '.repeat(100), true);
    assert.equal(types(paragraph!.token).filter((type) => type === 'strong' || type === 'em').length, 200);
    const [quote] = new BlockReader().read('> a\ngoes on\n> b', true);
    assert.equal(quote!.token.type, 'blockquote');
  });

  it('leaves code plain whose colours would take too long, or that breaks its grammar', () => {
    for (const text of ['x'.repeat(39_000), '"'.repeat(39_000), '{['.repeat(19_000), `${'x'.repeat(500)}\n`.repeat(70)])
      assert.equal(highlight(text, 'ts'), null, text.slice(0, 5));
    assert.match(highlight('const a = 1;', 'ts') ?? '', /hljs-keyword/);
    const plain = took(() => highlight('const a = 1;\n'.repeat(3000), 'java'));
    const words = `${'x'.repeat(299)}\n`.repeat(130);
    const hard = took(() => highlight(words, 'java'));
    assert.ok(hard < 20 * plain + 500, `${hard} ms, ${plain} ms`);
  });
});

describe('chat view: what can not be drawn', () => {
  let view: View;
  eachView((opened) => {
    view = opened;
  });

  const around = (text: string) => `First **bold**.\n\n${text}\n\nLast *word*.`;
  async function isUsable(): Promise<void> {
    const article = view.page.getByRole('article', { name: 'Answer' }).last();
    assert.equal(await article.locator('strong', { hasText: 'bold' }).count(), 1);
    await view.composer.fill('Still here');
    await view.composer.press('Enter');
    assert.equal((await view.until('send')).text, 'Still here');
  }

  it('is shown as text within its own place, and the view stays usable', async () => {
    const texts = Object.entries(HARD).map(([, make]) => around(make(6000)));
    const messages = texts.flatMap((text) => [user('Next'), answer(text)]);
    await view.tell(surroundings());
    for (let at = messages.length - 20; at > -20; at -= 20) {
      await view.tell(conversation(messages.slice(Math.max(at, 0), at + 20), { id: crypto.randomUUID() }));
    }
    await view.tell(conversation(messages.slice(-20), { id: crypto.randomUUID() }));
    await isUsable();
    assert.deepEqual(view.errors, []);
    assert.deepEqual(await view.page.evaluate('fake.violations'), []);
  });

  for (const [name, text] of [
    ['a list 1,500 levels deep', HARD['lists within lists']!(1500 * 1500)],
    ['1 MB of code spans', HARD['code spans']!(1_000_000)],
    ['a table of 5,000 rows', HARD['a table of many rows']!(60_000)],
  ] as const)
    it(`is bounded in time: ${name}`, async () => {
      await view.tell(surroundings(), conversation([user('Go'), answer(around('warm'))]));
      const cpu = async (body: string) => {
        const session = await view.page.context().newCDPSession(view.page);
        await session.send('Performance.enable');
        const busy = async () =>
          (await session.send('Performance.getMetrics')).metrics.find((one) => one.name === 'TaskDuration')!.value;
        const before = await busy();
        await view.tell(conversation([user('Go'), answer(around(body))], { id: crypto.randomUUID() }));
        return (await busy()) - before;
      };
      const plain = await cpu(`\`\`\`\n${'word word word\n'.repeat(text.length / 15)}\`\`\``);
      const hard = await cpu(text);
      assert.ok(hard < 10 * plain + 3, `${hard} s, as much plain code ${plain} s`);
      await isUsable();
      assert.deepEqual(view.errors, []);
    });

  it('takes nothing else with it, when drawing itself fails', async () => {
    await view.page.evaluate(`{
      const draw = Element.prototype.replaceChildren;
      Element.prototype.replaceChildren = function (...nodes) {
        if (nodes.some((node) => (node.textContent ?? node).includes('unlucky'))) throw new Error('cannot be drawn');
        return draw.apply(this, nodes);
      };
    }`);
    const texts = [
      'An unlucky *paragraph*.',
      '- an unlucky\n\n  ```js\n  1\n  ```',
      '```js\nunlucky()\n```',
      '- item\n\n  ```\n  unlucky\n  ```',
    ];
    for (const text of texts) {
      await view.tell(surroundings(), conversation([user('Go'), answer(around(text))], { id: crypto.randomUUID() }));
      const article = view.page.getByRole('article', { name: 'Answer' });
      assert.match(await article.locator('.as-written').innerText(), /unlucky/);
      assert.equal(await article.locator('em', { hasText: 'word' }).count(), 1);
    }
    await view.tell(conversation([user('Go'), answer(around('fine'))], { id: crypto.randomUUID() }));
    assert.equal(await view.page.locator('.as-written').count(), 0);
    await isUsable();
    // Each is told where errors are looked for, and is expected here.
    assert.deepEqual(view.errors.splice(0), Array(texts.length).fill('Error: cannot be drawn'));
  });
});
