import assert from 'node:assert/strict';
import { decodePage } from '../../server/fetch/decoding.ts';
import { htmlText } from '../../server/fetch/html.ts';
import { AppError } from '../../server/platform/errors.ts';

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));
const utf16 = (text: string) => Buffer.from(text, 'utf16le');

describe('the text of a web page', () => {
  describe('is decoded', () => {
    const CASES: [how: string, body: Uint8Array, type: string | undefined, text: string][] = [
      ['as UTF-8 if nothing is said', Buffer.from('größer'), 'text/plain', 'größer'],
      ['as its type says', bytes('gr\xf6\xdfer'), 'text/plain; charset=ISO-8859-1', 'größer'],
      ['as its type says in quotes', bytes('\x93a\x94'), 'text/plain;charset="windows-1252"', '“a”'],
      ['by its mark, before its type', bytes('\xef\xbb\xbf', [0xc3, 0xb6]), 'text/plain; charset=latin1', 'ö'],
      ['as UTF-16 by its mark', Buffer.concat([bytes([0xff, 0xfe]), utf16('größer')]), 'text/plain', 'größer'],
      ['as UTF-16 of the other order', Buffer.concat([bytes([0xfe, 0xff]), utf16('ab').swap16()]), undefined, 'ab'],
      ['as UTF-16 by its type', utf16('größer'), 'text/plain; charset=utf-16le', 'größer'],
      [
        'as its meta element says',
        bytes('<meta charset="koi8-r"><p>\xc4\xc1'),
        'text/html',
        '<meta charset="koi8-r"><p>да',
      ],
      [
        'as the older meta element says',
        bytes('<META http-equiv=Content-Type content="text/html; charset=Shift_JIS">\x82\xa0'),
        'text/html',
        '<META http-equiv=Content-Type content="text/html; charset=Shift_JIS">あ',
      ],
      [
        'by its type before its meta element',
        bytes('<meta charset=koi8-r>\xe4'),
        'text/html; charset=latin1',
        '<meta charset=koi8-r>ä',
      ],
      [
        'as UTF-8 if its meta element tells UTF-16',
        Buffer.from('<meta charset=utf-16>ä'),
        'text/html',
        '<meta charset=utf-16>ä',
      ],
      [
        'as its XML declaration says',
        bytes('<?xml version="1.0" encoding="iso-8859-1"?>\xe4'),
        'application/xml',
        '<?xml version="1.0" encoding="iso-8859-1"?>ä',
      ],
      ['as UTF-8 if what is named is unknown', Buffer.from('ä'), 'text/plain; charset=utf-7', 'ä'],
      ['as GB18030', bytes([0xc4, 0xe3]), 'text/plain; charset=gbk', '你'],
    ];
    for (const [how, body, type, text] of CASES) it(how, () => assert.equal(decodePage(body, type).text, text));
  });

  it('is HTML by its type, or without a type by its beginning', () => {
    const isHtml = (text: string, type?: string) => decodePage(Buffer.from(text), type).isHtml;
    assert.ok(isHtml('x', 'text/html'));
    assert.ok(isHtml('x', 'TEXT/HTML; charset=utf-8'));
    assert.ok(isHtml('x', 'application/xhtml+xml'));
    assert.ok(isHtml('\n<!DOCTYPE html>x'));
    assert.ok(!isHtml('<!doctype html>x', 'text/plain'));
    assert.ok(!isHtml('# Title'));
  });

  it('is text by type: text, JSON, XML and the like, and nothing else', () => {
    const fits = (type: string) => {
      try {
        return decodePage(Buffer.from('x'), type).text === 'x';
      } catch (error) {
        assert.ok(error instanceof AppError && error.code === 'page_not_text');
        return false;
      }
    };
    const [texts, others] = [
      [
        'text/markdown',
        'text/x-unknown',
        'application/json',
        'application/ld+json',
        'application/atom+xml',
        'application/javascript',
      ],
      ['image/svg', 'application/pdf', 'application/octet-stream', 'application/zip', 'video/mp4', 'nonsense'],
    ];
    assert.deepEqual(texts.filter(fits), texts);
    assert.deepEqual(others.filter(fits), []);
  });

  it('is no text if many of its characters are none, whatever its type says', () => {
    const noise = Buffer.from(Array.from({ length: 2000 }, (_, at) => (at * 7919) % 256 || 1));
    for (const body of [noise, Buffer.from('a\0b')])
      assert.throws(
        () => decodePage(body, 'text/plain'),
        (error) => error instanceof AppError && error.code === 'page_not_text',
      );
    assert.equal(decodePage(Buffer.from('\u001b[31mred\u001b[0m in a terminal'), 'text/plain').text.length, 26);
  });

  describe('is what a reader sees of its HTML', () => {
    const CASES: [what: string, html: string, text: string][] = [
      ['paragraphs and lines', '<p>One <b>two</b>\n three.<p>Four<br>five', 'One two three.\n\nFour\nfive'],
      ['headings', '<h1>A</h1>b<h3>C</h3>d', '# A\n\nb\n\n### C\n\nd'],
      ['lists', '<ul><li>a<li>b <i>c</i></ul>after', '- a\n- b c\n\nafter'],
      ['tables', '<table><tr><th>a<th>b</tr><tr><td>1<td>2</table>', 'a | b\n1 | 2'],
      [
        'code as it stands',
        '<pre><code>if (a &lt; b) {\n    c();\n\n}</code></pre>after',
        'if (a < b) {\n    c();\n\n}\n\nafter',
      ],
      ['entities', '&copy; &auml;&#8364;&nbsp;x', '© ä€ x'],
      [
        'no scripts, styles and comments',
        'a<script>evil()</script><style>b{}</style><!-- c --><template>d</template>e',
        'ae',
      ],
      [
        'no menus, buttons, drawings',
        '<nav>menu</nav>a <button>b</button><svg><title>c</title><text>d</text></svg>',
        'a',
      ],
      ['nothing hidden', 'a<p hidden>b</p><span aria-hidden="true">c</span>', 'a'],
      ['no address of a link or picture', '<a href="https://evil.test/?q=secret">text</a><img src=x alt=y>', 'text'],
      ['text without any tag', 'just text', 'just text'],
      ['what is left of broken markup', '<p>a<b>b</p>c</i></div><', 'ab\n\nc<'],
    ];
    for (const [what, html, text] of CASES) it(what, async () => assert.equal((await htmlText(html)).text, text));

    it('with its title', async () => {
      assert.equal((await htmlText('<title>\n A &amp; B\n</title>x')).title, 'A & B');
      assert.equal((await htmlText('<svg><title>no</title></svg>x')).title, undefined);
      assert.equal((await htmlText('<svg><g><title>no</title></g></svg><title>yes</title>x')).title, 'yes');
      assert.equal((await htmlText(`<title>${'a'.repeat(1000)}</title>`)).title?.length, 300);
      // No direction, no tags, nothing without width, and no half of a character.
      assert.equal((await htmlText('<title>a\u202eb\u200b\u{E0041}&#x2066;c\u0000d</title>x')).title, 'abc\ufffdd');
      assert.equal((await htmlText(`<title>${'a'.repeat(299)}😀</title>x`)).title, 'a'.repeat(299));
      assert.equal((await htmlText(`<title>${' '.repeat(2000)}a</title>x`)).title, undefined);
    });

    it('and only its main part, if it has one that says something', async () => {
      const long = 'word '.repeat(50).trim();
      const around = (main: string) => `<header>head</header><main>${main}</main><footer>foot</footer>`;
      assert.equal((await htmlText(around(`<p>${long}</p>`))).text, long);
      assert.equal((await htmlText(around('Loading …'))).text, 'head\nLoading …\nfoot');
      assert.equal((await htmlText(`<div>x</div><article>${long}</article>`)).text, long);
    });
  });

  it('is the same wherever a part of it ends that is read in one go', async () => {
    // 20 units: the parts end within a tag, a reference, a character of two units, a word and a space.
    const html = '<p>a&amp;😀 words</p>\n';
    assert.equal((await htmlText(html.repeat(4_000))).text, Array(4_000).fill('a&😀 words').join('\n\n'));
  });

  it('is read while other work of the process has its turns', async () => {
    let turns = 0;
    let isReading = true;
    const other = () => {
      turns++;
      if (isReading) setImmediate(other);
    };
    setImmediate(other);
    await htmlText('<p>a'.repeat(50_000));
    isReading = false;
    assert.ok(turns >= 10, `${turns}`);
  });

  describe('is read in bounded time, however its HTML is made', () => {
    const SIZE = 200_000;
    const full = (part: string) => part.repeat(Math.floor(SIZE / part.length));
    const PAGES = {
      'unclosed elements': full('<div>'),
      'unclosed formatting, then other ends': '<b>'.repeat(30_000) + '</i>'.repeat(25_000),
      'unclosed formatting, then paragraphs': '<b>'.repeat(30_000) + '<p>'.repeat(30_000),
      'tables in tables': full('<table><tr><td>'),
      'lists in lists': full('<ul><li>'),
      'flat paragraphs': full('<p>a'),
      'flat cells': full('<td>x'),
      attributes: `<a ${Array.from({ length: 30_000 }, (_, at) => `x${at}`).join(' ')}>`,
      'an open tag': `<${'a'.repeat(SIZE)}`,
      'open comments': full('<!--'),
      entities: full('&amp;'),
      'half entities': full('&a'),
      'references in a deep title': `${'<div>'.repeat(398)}<title>${full('&lt')}`,
      'ends of nothing, deep': '<div>'.repeat(399) + full('</p>'),
      'an endless title': `<title>${full('<title>')}`,
      spaces: `<p>a${' '.repeat(SIZE)}b`,
      'lines of code': `<pre>${full('\n')}`,
    };
    for (const [what, html] of Object.entries(PAGES))
      it(`${what}`, async () => {
        const began = performance.now();
        try {
          await htmlText(html);
        } catch (error) {
          assert.ok(error instanceof AppError && error.code === 'page_not_text', String(error));
        }
        // Milliseconds on an idle machine; it took seconds before the depth was bounded.
        assert.ok(performance.now() - began < 1_000);
      });
  });
});
