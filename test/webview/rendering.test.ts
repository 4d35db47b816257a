import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { answer, changed, conversation, longAnswer, running, surroundings, user } from './samples.ts';
import { eachView, sharedHarness } from './shared.ts';
import type { View } from './view.ts';

const F = '```';

/** Texts that are easily drawn one way while they come, another way afterwards, and a third way elsewhere. */
const HARD: Record<string, string> = {
  'bold beside Chinese punctuation':
    '**注意：**这是重点，大约3~5天，100~200元。见 https://example.com/a，详见。\n\nOne ~ two ~ three.',
  'emphasis within emphasis':
    'A ***very** important* and **quite *nested* one**, `code **not**`, ~~gone~~.\n\n**Note**: *x*.',
  footnotes: 'One[^1] and two[^b].\n\nMore[^1].\n\nEven more.\n\n[^1]: The **first**.\n[^b]: https://example.com',
  'targets that come later':
    'See [the docs][d] and [it].\n\nA.\n\nB.\n\nC.\n\n[d]: https://example.com/docs\n[it]: https://example.com/it\n\nEnd.',
  math: 'So \\(a_1 * b * c\\) and $n^2$, not $5 and $6.\n\n\\[\na\n= b \\, c\n\\]\n\n$$x$$\n\nEnd.',
  'math that never ends': 'So \\( a_1 * b, \\, and\n\n\\[\nx\n= y\n\nEnd.',
  'a fence within a fence': `Here it is:\n\n${F}markdown\n# Title\n\n${F}bash\nnpm ci\n${F}\n\nThen.\n${F}\n\nEnd.`,
  'a fence in a list': `1. First\n\n   ${F}sh\n   npm ci\n   ${F}\n2. Second \`x\``,
  'a table': '| a | b |\n|---|:-:|\n| **x**<br>y | `c \\| d` |\n| $z$ | https://example.com |\n\nEnd.',
  'tags that are spoken of':
    'Put <div> in a <table>, H<sub>2</sub>O, <kbd>Enter</kbd>, <!-- this -->.\n\n<details>\nx\n</details>\n\nEnd.',
  'both directions': 'مرحبا `code` and שלום\n\n- عنصر\n- item\n\n> اقتباس\n\n| א | b |\n|---|---|\n| ג | d |\n\nEnd.',
  'marks that combine, and joiners': 'e\u0301 **n\u0303o** 👩‍💻 **👩‍💻**的 a\u200bb می‌خواهم\n\nEnd.',
  'links to files and elsewhere':
    '[a](src/a.ts#L3) `src/b.ts:4` src/c.ts:5 [x](javascript:alert(1)) ![p](https://example.com/p.png)\n\nEnd.',
  'a long answer': longAnswer(300),
};

/** What a reader sees of drawn Markdown, in either page: elements that mean something, and text. */
const SHAPE = `(root) => {
  const MEANT = 'p h1 h2 h3 h4 h5 h6 ul ol li blockquote table tr th td strong em del code a sup sub kbd br hr math mi mo mn mfrac msup msub'.split(' ');
  const read = (node) => {
    if (node.nodeType === 3) return node.data.replace(/\\s+/g, ' ');
    if (node.nodeType !== 1) return '';
    if (node.matches('figure.code, pre')) {
      const lines = node.querySelectorAll('.line');
      return '[' + (lines.length ? '' : (node.querySelector('pre code') ?? node).textContent.trim()) + ']';
    }
    const inner = [...node.childNodes].map(read).join('');
    const name = node.localName;
    if (!MEANT.includes(name)) return inner;
    return '<' + name + (name === 'a' ? ' ' + node.getAttribute('href') : '') + '>' + inner.trim() + '</>';
  };
  return [...root.childNodes].map(read).map((text) => text.trim()).filter((text) => text !== '');
}`;

/** Resolves when this expression holds in the page. */
const settled = (view: View, holds: string) =>
  view.page.evaluate(`(async () => { while (!(${holds})) await new Promise(requestAnimationFrame); })()`);

describe('chat view: an answer looks alike at every moment', () => {
  let view: View;
  let member: Page;
  eachView((opened) => {
    view = opened;
  });
  before(async () => {
    member = await (await sharedHarness()).member();
  });
  after(() => member.close());

  const shape = () =>
    view.page.evaluate(`(${SHAPE})(document.querySelector('.answer .markdown'))`) as Promise<string[]>;
  /** Once all math is drawn that can be. */
  async function drawn(): Promise<string[]> {
    await settled(
      view,
      `![...document.querySelectorAll('.math:not(.unread, [data-open])')].some((math) => !math.querySelector('math'))`,
    );
    return shape();
  }

  for (const [name, text] of Object.entries(HARD))
    it(`while it comes, afterwards, and on the member's page: ${name}`, async () => {
      await view.tell(surroundings(), conversation([user('Go'), answer(text)]));
      const whole = await drawn();
      const other = (await member.evaluate(`(async () => {
        const nodes = renderMarkdown(${JSON.stringify(text)});
        document.body.replaceChildren(...nodes);
        while ([...document.querySelectorAll('.math:not(.unread)')].some((math) => !math.querySelector('math'))) await new Promise(requestAnimationFrame);
        return (${SHAPE})(document.body);
      })()`)) as string[];
      assert.deepEqual(other, whole, 'the member’s page');

      const coming = running();
      await view.tell(conversation([user('Go'), coming], { id: crypto.randomUUID() }));
      const size = Math.max(3, Math.ceil(text.length / 60));
      for (let at = 0; at < text.length; at += size) {
        await view.tell({ type: 'text', messageId: coming.id, text: text.slice(at, at + size), at });
      }
      await drawn();
      const [before, after] = [await shape(), whole];
      // Only what has not ended may still change.
      assert.deepEqual(before.slice(0, -1), after.slice(0, before.length - 1), 'while it comes');
      await view.tell(changed([{ ...coming, state: 'complete', text }]));
      assert.deepEqual(await drawn(), whole, 'afterwards');
    });

  it('shows no marks of emphasis, code and links that are still to be closed', async () => {
    const coming = running();
    await view.tell(surroundings(), conversation([user('Go'), coming]));
    const text =
      'Some **bold words**, `npm ci`, *more* and [the docs](https://example.com/a), ***both*** ~~gone~~ **注意：**好 end';
    const seen = new Set<string>();
    for (let at = 0; at < text.length; at++) {
      await view.tell({ type: 'text', messageId: coming.id, text: text[at]!, at });
      for (const mark of (await view.page.locator('.answer .markdown').innerText()).match(/[*`~]|\(http/g) ?? []) {
        seen.add(`${mark} in ${text.slice(0, at + 1)}`);
      }
    }
    assert.deepEqual([...seen], []);
  });

  it('keeps marks that are none while it comes', async () => {
    const coming = running();
    await view.tell(surroundings(), conversation([user('Go'), coming]));
    for (const text of [
      '2 * 3',
      'a*b',
      'snake_case_na',
      '~5',
      'f(x, **kwargs)\nthen',
      `${F}py\ndef f(**kwargs`,
      '\\( a *b',
    ]) {
      await view.tell({ type: 'text', messageId: coming.id, text, at: 0 });
      const shown = await view.page.locator('.answer .markdown').innerText();
      const expected = text.replace(/^`.*\n/, '');
      assert.ok(shown.replace(/\s+/g, ' ').endsWith(expected.replace(/\s+/g, ' ')), `${text}: ${shown}`);
    }
  });
});

describe('chat view: math', () => {
  let view: View;
  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings()],
  );
  const show = async (text: string, maths: number) => {
    await view.tell(conversation([user('Go'), answer(text)], { id: crypto.randomUUID() }));
    await settled(view, `document.querySelectorAll('.answer math').length === ${maths}`);
  };

  it('is drawn by a script that is loaded only when there is some', async () => {
    await show('No math: $5 and $6.', 0);
    assert.deepEqual(
      view.requests.filter((url) => url.includes('math')),
      [],
    );
    await show('So \\(x^2\\) and\n\n$$\n\\frac{a}{b}\n$$', 2);
    await show('Again \\(y\\).', 1);
    assert.equal(view.requests.filter((url) => url.includes('math')).length, 1);
    const box = await view.page.locator('.answer math').boundingBox();
    assert.ok(box && box.width > 3 && box.height > 5);
  });

  it('is copied as it was written, wherever the selection begins and ends', async () => {
    await show('So \\( x^2 \\) **holds** for\n\n\\[\ny = \\frac{1}{2}\n\\]\n\nand `z`.', 2);
    const copied = (script: string) =>
      view.page.evaluate(`(() => {
        ${script}
        const data = new DataTransfer();
        document.body.dispatchEvent(new ClipboardEvent('copy', { clipboardData: data, bubbles: true, cancelable: true }));
        return data.getData('text/plain');
      })()`) as Promise<string>;
    const all = await copied(`getSelection().selectAllChildren(document.querySelector('.answer .markdown'))`);
    assert.equal(all.trim(), 'So \\( x^2 \\) holds for\n\n\\[\ny = \\frac{1}{2}\n\\]\n\nand z.');
    const within = await copied(
      `getSelection().setBaseAndExtent(document.querySelector('math mi').firstChild, 0, document.querySelector('.answer strong').firstChild, 2)`,
    );
    assert.equal(within, '\\( x^2 \\) ho');
    const none = await copied(`getSelection().selectAllChildren(document.querySelector('.answer strong'))`);
    assert.equal(none, '', 'left to the browser');
  });

  it('stays as written where it can not be read, and takes nothing with it', async () => {
    await show('A \\(\\notacommand\\), \\(x\\), \\(\\frac{a}\\) and \\( no end.', 1);
    const shown = await view.page.locator('.answer .markdown').textContent();
    assert.equal(shown?.normalize('NFKC').trim(), 'A \\(\\notacommand\\), x, \\(\\frac{a}\\) and \\( no end.');
  });

  it('has no powers: links, pictures, classes, styles and colours of TeX reach no page', async () => {
    const hostile = [
      '\\href{javascript:window.hit=1}{x}',
      '\\url{https://evil.example}',
      '\\includegraphics{https://evil.example/x.png}',
      '\\class{box error}{x}',
      '\\id{app}{x}',
      '\\style{position:fixed;inset:0}{x}',
      '\\data{code=0}{x}',
      '\\color{white}{x}',
      '\\textcolor{red}{x}',
      '\\colorbox{red}{x}',
      '\\text{<img src=x onerror=window.hit=1>}',
      '\\rule{999em}{999em}',
      '\\kern{9999em} x',
      '\\Huge x',
      '\\def\\a{\\a\\a}\\a',
      '\\label{app}x',
      '{'.repeat(3000),
      `${'\\frac{'.repeat(500)}x`,
    ];
    const requested = view.requests.length;
    const text = `${hostile.map((tex) => `\\(${tex}\\)`).join('\n\n')}\n\n\\(last\\)`;
    await view.tell(conversation([user('Go'), answer(text)], { id: crypto.randomUUID() }));
    await settled(view, `document.querySelectorAll('.answer .math').length === ${hostile.length + 1}`);
    await settled(view, `document.querySelector('.answer .block:last-child math')`);
    const block = view.page.locator('.answer .block');
    assert.equal(
      await block.locator('a, img, svg, script, [id], [href], [onerror], .box, [mathcolor], [mathbackground]').count(),
      0,
    );
    assert.equal(await view.page.evaluate('window.hit'), undefined);
    assert.deepEqual(
      view.requests.slice(requested).filter((url) => !url.endsWith('/math.js')),
      [],
    );
    const styles = (
      await block.locator('[style]').evaluateAll((all) => all.map((one) => one.getAttribute('style')))
    ).join();
    assert.doesNotMatch(styles, /color|background|position|font-size|transform/);
    const widths = await block
      .locator('math')
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
    assert.ok(Math.max(...widths) < 2000, `${widths}`);
  });
});

describe('chat view: files that an answer speaks of', () => {
  let view: View;
  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings()],
  );

  it('are asked about together, and become links only where they are there', async () => {
    const text =
      'See `src/client.ts:12`, src/gone.ts:3, [the readme](README.md#L4) and `src/client.ts`; not `x.value`.';
    await view.tell(conversation([user('Go'), answer(text)]));
    const { paths } = await view.until('findFiles');
    assert.deepEqual([...paths].sort(), ['README.md', 'src/client.ts', 'src/gone.ts']);
    assert.equal(await view.page.locator('.answer .file').count(), 0);
    await view.tell({ type: 'files', asked: paths, found: ['src/client.ts', 'README.md'] });
    const links = view.page.locator('.answer').getByRole('link');
    assert.deepEqual(await links.allInnerTexts(), ['src/client.ts:12', 'the readme', 'src/client.ts']);
    await links.nth(0).click();
    assert.deepEqual(await view.until('openFile'), { type: 'openFile', path: 'src/client.ts', line: 12 });
    await links.nth(1).press('Enter');
    assert.deepEqual(await view.until('openFile', 2), { type: 'openFile', path: 'README.md', line: 4 });
    assert.equal((await view.said()).filter(({ type }) => type === 'findFiles').length, 1);
  });

  it('are at once links in what is drawn later, and are asked about anew once changes were applied', async () => {
    await view.tell(conversation([user('Go'), answer('In `src/a.ts`.')]));
    await view.until('findFiles');
    await view.tell({ type: 'files', asked: ['src/a.ts'], found: ['src/a.ts'] });
    await view.tell(conversation([user('Go'), answer('Also in `src/a.ts:7`.')], { id: crypto.randomUUID() }));
    assert.equal(await view.page.locator('.answer .file').count(), 1);
    await view.tell({ type: 'changes', value: {} });
    await view.tell(conversation([user('Go'), answer('Again `src/a.ts:8`.')], { id: crypto.randomUUID() }));
    await view.until('findFiles', 2);
  });

  it('are asked about fifty at a time at most', async () => {
    const text = Array.from({ length: 120 }, (_, i) => `\`src/file${i}.ts\``).join(', ');
    await view.tell(conversation([user('Go'), answer(text)]));
    await view.until('findFiles', 3);
    const asked = (await view.said()).flatMap((one) => (one.type === 'findFiles' ? [one.paths.length] : []));
    assert.deepEqual(asked, [50, 50, 20]);
    // Not again as long as the host looks for them.
    await view.tell(conversation([user('Go'), answer(`${text}, \`src/one.ts\``)], { id: crypto.randomUUID() }));
    assert.deepEqual((await view.until('findFiles', 4)).paths, ['src/one.ts']);
  });
});

describe('chat view: symbols that an answer names', () => {
  let view: View;
  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings()],
  );

  it('are asked about together, and lead to their definition where they have exactly one', async () => {
    const text = 'Call `fetchOrder`, `Client.send()` or `gone`, not `true`, `npm test`, `a`, `--flag` or `src/a.ts`.';
    await view.tell(conversation([user('Go'), answer(text)]));
    const { names } = await view.until('findSymbols');
    assert.deepEqual(names, ['fetchOrder', 'Client.send()', 'gone']);
    await view.tell({ type: 'symbols', asked: names, found: ['fetchOrder', 'Client.send()'] });
    const links = view.page.locator('.answer').getByRole('link');
    assert.deepEqual(await links.allInnerTexts(), ['fetchOrder', 'Client.send()']);
    assert.equal(await links.nth(0).getAttribute('title'), 'Go to fetchOrder');
    await links.nth(0).click();
    assert.deepEqual(await view.until('openSymbol'), { type: 'openSymbol', name: 'fetchOrder' });
    await links.nth(1).press('Enter');
    assert.equal((await view.until('openSymbol', 2)).name, 'Client.send()');
  });
});

describe('chat view: directions of writing', () => {
  let view: View;
  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings()],
  );

  it('are those of each block, and code goes from left to right', async () => {
    const text = `\`npm ci\` مرحبا\n\nHello مرحبا\n\n- عنصر\n- two\n\n> اقتباس\n\n| א | b |\n|---|---|\n| c | ד |\n\n${F}\nx = 1 # مرحبا\n${F}\n\n# כותרת`;
    await view.tell(conversation([user('مرحبا'), answer(text)], { title: 'שלום' }));
    const directions = await view.page
      .locator('.answer .markdown')
      .locator('p, ul, blockquote, table, h1, pre code, p > code')
      .evaluateAll((all) => all.map((one) => `${one.localName} ${getComputedStyle(one).direction}`));
    assert.deepEqual(directions, [
      'p rtl',
      'code ltr',
      'p ltr',
      'ul rtl',
      'blockquote rtl',
      'p rtl',
      'table rtl',
      'code ltr',
      'h1 rtl',
    ]);
    // An item of the other direction stays beside its mark.
    const lefts = await view.page.locator('.answer li').evaluateAll((all) =>
      all.map((one) => {
        const range = document.createRange();
        range.selectNodeContents(one);
        const [text, box] = [range.getBoundingClientRect(), one.getBoundingClientRect()];
        return text.left - box.left < 5 ? 'left' : 'right';
      }),
    );
    assert.deepEqual(lefts, ['right', 'right']);
    const rtl = (selector: string) => view.page.locator(selector).evaluate((one) => getComputedStyle(one).direction);
    assert.equal(await rtl('.said'), 'rtl');
    assert.equal(await rtl('.title-bar h1'), 'rtl');
    await view.composer.fill('كيف؟');
    assert.equal(await rtl('.composer textarea'), 'rtl');
    await view.composer.fill('How?');
    assert.equal(await rtl('.composer textarea'), 'ltr');
  });
});
