// Draws a model's Markdown, in every view. The text may come from anyone, so no tag of it reaches an HTML parser. This
// code writes each tag itself and escapes everything else. A sanitiser then passes only what these lists allow, and the
// page's CSP forbids the rest again. No class, id, style, form, frame or image.

import type { MathToken, NoteToken } from './answerMarkdown.ts';

const TAGS = [
  ...['a', 'blockquote', 'br', 'code', 'del', 'div', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'kbd', 'li', 'ol'],
  ...['p', 'pre', 'span', 'strong', 'sub', 'sup', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'],
];
const PLAIN_ATTRIBUTES = ['start', 'align', 'dir', 'data-code', 'data-math', 'data-target'];
const WEB_LINK = /^(?:https?:\/\/|mailto:)/i;

/** Options of DOMPurify. */
export const SANITISING = {
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ['href', ...PLAIN_ATTRIBUTES],
  ADD_URI_SAFE_ATTR: PLAIN_ATTRIBUTES,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: WEB_LINK,
};

/** Whether a link may be opened outside. */
export const isWebLink = (href: string): boolean => WEB_LINK.test(href);

interface Token {
  type: string;
  raw: string;
  text?: string;
  tokens?: Token[];
  items?: Token[];
  /** Of a table: its header cells. Of a cell: whether it is one of those. */
  header?: Token[] | boolean;
  rows?: Token[][];
}
interface CodeToken extends Token {
  text: string;
  lang?: string;
}

/**
 * The parts of a block that the caller draws: each has an element with its index in `data-code`, `data-math` or
 * `data-target`.
 */
export interface Drawn<C> {
  html: string;
  codes: C[];
  maths: MathToken[];
  /** The targets of links that are not web addresses. */
  targets: string[];
}

interface LinkToken extends Token {
  href: string;
}

/** `marked`'s Renderer and Parser. */
interface Library {
  Renderer: new () => { link(token: never): string };
  Parser: new (options: never) => { parse(tokens: never): string };
}

/** One block as HTML. `isCodeDrawn`: the caller draws its code blocks. */
export function drawBlock<C>({ Renderer, Parser }: Library, token: object, isCodeDrawn: boolean): Drawn<C> {
  const codes: CodeToken[] = [];
  const maths: MathToken[] = [];
  const targets: string[] = [];
  const renderer = new Renderer();
  const drawLink = renderer.link as (token: LinkToken) => string;
  markTags(token as Token);
  const own = {
    ...(isCodeDrawn && { code: (code: CodeToken) => `<div data-code="${codes.push(code) - 1}"></div>` }),
    // Code reads from left to right, and does not affect the direction of the text around it.
    codespan: ({ text = '' }: Token) => `<code dir="ltr">${escaped(text)}</code>`,
    link(this: { parser: { parseInline(tokens: Token[]): string } }, link: LinkToken): string {
      if (isWebLink(link.href)) return drawLink.call(this, link);
      return `<span data-target="${targets.push(link.href) - 1}">${this.parser.parseInline(link.tokens ?? [])}</span>`;
    },
    checkbox: ({ checked }: { checked: boolean }) => (checked ? '☑ ' : '☐ '),
    /** Never fetches an image: shows its alternative text, and a link to it if there is one. */
    image: ({ href, text }: { href: string; text: string }) => {
      const words = escaped(`Image: ${text.trim() || 'no description'}`);
      return isWebLink(href) ? `<a href="${escaped(href)}">${words}</a>` : `<em>${words}</em>`;
    },
    /** Tags are shown as written, except for the few that `markTags` has marked as meant. */
    html: (tag: MeantTag) => tag.meant ?? escaped(tag.text ?? ''),
  };
  const renderers = {
    math: (math: MathToken) => {
      // Math that is a block itself gets a `div`. Math in a paragraph gets a `span`, because a paragraph may contain no
      // block.
      const element = math === token ? 'div' : 'span';
      return `<${element} data-math="${maths.push(math) - 1}" dir="ltr">${escaped(math.raw.trim())}</${element}>`;
    },
    note: ({ text }: NoteToken) => `<sup>${escaped(text)}</sup>`,
  };
  const options = { renderer: Object.assign(renderer, own), gfm: true, extensions: { renderers, childTokens: {} } };
  const html = new Parser(options as never).parse([token] as never);
  return { html, codes: codes as C[], maths, targets };
}

/** A tag that is drawn instead of shown, in the form that this code writes. */
interface MeantTag extends Token {
  meant?: string;
}

const PAIR = /^<(\/?)(kbd|sub|sup)>$/i;
const BREAK = /^<br\s*\/?>$/i;

/** Marks the tags that are surely meant, within one line of text: kbd, sub and sup with both ends; br in a table. */
function markTags(token: Token, inTable = false): void {
  const open: { tag: string; token: MeantTag }[] = [];
  for (const one of (token.tokens ?? []) as MeantTag[]) {
    if (one.type !== 'html') continue;
    if (inTable && BREAK.test(one.raw)) one.meant = '<br>';
    const [, end, name = ''] = PAIR.exec(one.raw) ?? [];
    const tag = name.toLowerCase();
    if (tag === '') continue;
    const begin = end ? open.pop() : undefined;
    if (!end) open.push({ tag, token: one });
    else if (begin?.tag === tag) {
      begin.token.meant = `<${tag}>`;
      one.meant = `</${tag}>`;
    }
  }
  for (const inner of [...(token.tokens ?? []), ...(token.items ?? [])]) markTags(inner, inTable);
  if (!Array.isArray(token.header)) return;
  for (const cell of [...token.header, ...(token.rows?.flat() ?? [])]) markTags(cell, true);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
