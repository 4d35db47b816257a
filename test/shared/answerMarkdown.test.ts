import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Lexer, Parser, Renderer } from 'marked';
import { drawBlock } from '../../shared/answers/answerHtml.ts';
import { answerLexer } from '../../shared/answers/answerMarkdown.ts';

const AnswerLexer = answerLexer(Lexer);
// biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's variables
const VARIABLES = 'Set $HOME and $PATH, $HOME/$USER, ${a}_${b}, $foo=$bar; echo $$ and $$';

/** The HTML of a text, without what stands around each paragraph. */
function html(text: string): string {
  return new AnswerLexer()
    .lex(text)
    .map((token) => drawBlock({ Renderer, Parser }, token, false).html)
    .join('')
    .replace(/ dir="ltr"/g, '')
    .replace(/ data-math="\d+"/g, ' math')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
    .trim()
    .replace(/^<p>((?:(?!<p>)[\s\S])*)<\/p>$/, '$1')
    .replaceAll('&amp;', '&')
    .replaceAll('&quot;', '"');
}

function check(table: [title: string, text: string, expected: string][]): void {
  for (const [title, text, expected] of table) it(title, () => assert.equal(html(text), expected));
}

describe('an answer’s Markdown: tildes', () => {
  check([
    ['one is "about", or a range', '大约3~5天，价格100~200元。', '大约3~5天，价格100~200元。'],
    [
      'also with blanks around it',
      'Between 5 ~ 10 files, ~20 tests and ~30 more.',
      'Between 5 ~ 10 files, ~20 tests and ~30 more.',
    ],
    ['also around words', 'It takes ~an hour~ or so.', 'It takes ~an hour~ or so.'],
    ['two between numbers are a range', '3~~5 and 6~~8', '3~~5 and 6~~8'],
    ['two strike through', 'a ~~b~~ c, 1 ~~2~~ 3', 'a <del>b</del> c, 1 <del>2</del> 3'],
    ['two strike through one', '~~3~5~~', '<del>3~5</del>'],
    ['two strike through beside Chinese punctuation', '~~旧：~~新', '<del>旧：</del>新'],
    ['home directories stay', '~/a and ~/b', '~/a and ~/b'],
  ]);
});

describe('an answer’s Markdown: emphasis without blanks between words', () => {
  const strong = (text: string) => `<strong>${text}</strong>`;
  check([
    ['ends after Chinese punctuation', '**注意：**这是重点。', `${strong('注意：')}这是重点。`],
    ['begins before code', '请使用**`npm ci`**安装。', `请使用${strong('<code>npm ci</code>')}安装。`],
    ['begins and ends at full-width brackets', '我**（注）**你', `我${strong('（注）')}你`],
    [
      'begins and ends at quotes',
      '他说**“你好”**，然后**「再见」**走了',
      `他说${strong('“你好”')}，然后${strong('「再见」')}走了`,
    ],
    ['stands within quotes', '“**重点**”和《**书**》', `“${strong('重点')}”和《${strong('书')}》`],
    [
      'in Japanese',
      'これは**「重要」**です。**注意！**必ず',
      `これは${strong('「重要」')}です。${strong('注意！')}必ず`,
    ],
    ['in Korean, before a particle', '**"안녕"**이라고 **제목:**은', `${strong('"안녕"')}이라고 ${strong('제목:')}은`],
    ['in Thai', '**หมายเหตุ:**นี่คือ', `${strong('หมายเหตุ:')}นี่คือ`],
    ['with ASCII punctuation', '**Note:**这里，**foo()**返回', `${strong('Note:')}这里，${strong('foo()')}返回`],
    [
      'within each other',
      '***注意：***这，**这是*很重要：*的**事',
      `<em>${strong('注意：')}</em>这，${strong('这是<em>很重要：</em>的')}事`,
    ],
    ['of one mark', '*强调：*这', '<em>强调：</em>这'],
    [
      'by underscores',
      '__注意：__这，使用__重要__方法，_注意：_这',
      `${strong('注意：')}这，使用${strong('重要')}方法，<em>注意：</em>这`,
    ],
    ['with a link in it', '见**[文档](https://a.b)**。', `见${strong('<a href="https://a.b">文档</a>')}。`],
    ['beside a symbol', '**重要⚠️**注意', `${strong('重要⚠️')}注意`],
    ['in a table and a list', '- **步骤一：**先', `<ul>\n<li>${strong('步骤一：')}先</li>\n</ul>`],
    ['not in names', '__init__方法，变量_名称_值，用户_id', '__init__方法，变量_名称_值，用户_id'],
    ['not where blanks are inside', '这 ** 不是 ** 强调', '这 ** 不是 ** 强调'],
    ['not in numbers', '2*3*4=24', '2<em>3</em>4=24'],
  ]);

  it('is read as CommonMark reads it where words have blanks between them', () => {
    const piece = fc.constantFrom(
      'a',
      'b1',
      ' ',
      '.',
      '(',
      ')',
      '*',
      '**',
      '***',
      '_',
      '__',
      '~~',
      '"',
      'é',
      'я',
      '`c`',
      '!',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
        const text = pieces.join('').trim();
        // Two tildes between numbers are one of the amendments.
        fc.pre(!/\d~~\d|~{3}/.test(text));
        const plain = (tokens: object[]): string => new Parser({ gfm: true }).parse(tokens as never);
        assert.equal(plain(new AnswerLexer().lex(text)), plain(new Lexer({ gfm: true }).lex(text)));
      }),
      { numRuns: 1500 },
    );
  });
});

describe('an answer’s Markdown: addresses', () => {
  const link = (href: string) => `<a href="${href}">${href}</a>`;
  check([
    [
      'end before Chinese punctuation',
      '见 https://example.com/guide，详见。',
      `见 ${link('https://example.com/guide')}，详见。`,
    ],
    [
      'end before a full stop and all after it',
      'https://a.b/c。然后 https://d.e/f！',
      `${link('https://a.b/c')}。然后 ${link('https://d.e/f')}！`,
    ],
    [
      'end before full-width brackets',
      '（https://a.b/c）和（见https://a.b/d）后',
      `（${link('https://a.b/c')}）和（见${link('https://a.b/d')}）后`,
    ],
    [
      'end before Japanese marks',
      '「https://a.b/c」、https://a.b/d。',
      `「${link('https://a.b/c')}」、${link('https://a.b/d')}。`,
    ],
    ['end before the words after a host', '访问https://a.b:80的文档', `访问${link('https://a.b:80')}的文档`],
    [
      'end before ASCII punctuation with words after it',
      'https://a.b/c,然后(https://a.b/d)吧',
      `${link('https://a.b/c')},然后(${link('https://a.b/d')})吧`,
    ],
    ['end before Arabic punctuation', 'https://a.b/c، ثم', `${link('https://a.b/c')}، ثم`],
    ['end before a dash', 'https://a.b/c——见', `${link('https://a.b/c')}——见`],
    ['end before bold does', '**链接：https://a.b/c**。', `<strong>链接：${link('https://a.b/c')}</strong>。`],
    [
      'have letters of any writing in their path',
      'https://a.b/wiki/中文_(語) x',
      `<a href="https://a.b/wiki/%E4%B8%AD%E6%96%87_(%E8%AA%9E)">https://a.b/wiki/中文_(語)</a> x`,
    ],
    [
      'are as before elsewhere',
      'See https://a.b/c?d=e,f&g#h. Or (https://a.b).',
      `See ${link('https://a.b/c?d=e,f&g#h')}. Or (${link('https://a.b')}).`,
    ],
  ]);
});

describe('an answer’s Markdown: math', () => {
  const inline = (raw: string) => `<span math>${raw}</span>`;
  const block = (raw: string) => `<div math>${raw}</div>`;
  check([
    [
      'in a line',
      'So \\(a_1 * b_2\\) and \\( x \\) hold',
      `So ${inline('\\(a_1 * b_2\\)')} and ${inline('\\( x \\)')} hold`,
    ],
    ['displayed in a line', 'So \\[ x = 1 \\] and $$y^2$$.', `So ${inline('\\[ x = 1 \\]')} and ${inline('$$y^2$$')}.`],
    ['in lines of its own', '\\[\na\n= b\n- c\n\\]', block('\\[\na\n= b\n- c\n\\]')],
    ['in lines of its own in a paragraph', 'So\n$$\n- x\n$$\nholds', `<p>So</p>\n${block('$$\n- x\n$$')}<p>holds</p>`],
    [
      'in a list',
      '- So\n  \\[\n  x\n  \\]',
      `<ul>\n<li>So${block('\\[\nx\n\\]').replaceAll('div', 'span')}</li>\n</ul>`,
    ],
    [
      'in dollars, where it can be nothing else',
      'If $x$, $n_1$, $O(n \\log n)$ or $a+b=c$.',
      `If ${['$x$', '$n_1$', '$O(n \\log n)$']
        .map(inline)
        .join(', ')
        .replace(/, (?=[^,]*$)/, ', ')} or ${inline('$a+b=c$')}.`,
    ],
    [
      'not prices',
      'It costs $5 and $6, US$7 to US$8, $5/$6, or $5 (about 4€ = 4.5$).',
      'It costs $5 and $6, US$7 to US$8, $5/$6, or $5 (about 4€ = 4.5$).',
    ],
    ['not variables', VARIABLES, VARIABLES],
    ['not without its end', 'So \\( x \\, y and \\[ x', 'So \\( x \\, y and \\[ x'],
    ['not over an empty line', '$$\nx\n\ny\n$$', '<p>$$\nx</p>\n<p>y\n$$</p>'],
    ['not in code', '`\\(x\\)` and `$x$`', '<code>\\(x\\)</code> and <code>$x$</code>'],
    [
      'not brackets that Markdown is not to read',
      '\\[x\\] done, a\\[0\\], \\[INFO\\], \\[docs\\](x)',
      '[x] done, a[0], [INFO], [docs](x)',
    ],
    ['with a bracket after a line break of its own', '\\(a \\\\\\) b\\)', `${inline('\\(a \\\\\\)')} b\\)`],
  ]);

  it('keeps backslashes that no mark of Markdown needs, and no others', () => {
    assert.equal(html('\\, \\; \\: \\% \\/ \\( \\* \\_ \\` \\# \\\\'), '\\, \\; \\: \\% \\/ \\( * _ ` # \\');
  });
});

describe('an answer’s Markdown: footnotes', () => {
  check([
    [
      'are marked in the text and in front of the note',
      'One[^1] two[^b].\n\n[^1]: A **note**.\n[^b]: https://a.b',
      '<p>One<sup>1</sup> two<sup>b</sup>.</p>\n<p><sup>1</sup> A <strong>note</strong>.</p>\n<p><sup>b</sup> <a href="https://a.b">https://a.b</a></p>',
    ],
    ['go on where they are indented', '[^1]: A\n    note.\n\nB', '<p><sup>1</sup> A\n    note.</p>\n<p>B</p>'],
  ]);
});
