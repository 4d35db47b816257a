import DOMPurify from 'dompurify';
import { Parser, Renderer, type Token, type Tokens, walkTokens } from 'marked';

// The text comes from a model that may have read anything. No tag of it reaches a parser of HTML: what makes the HTML here
// writes each tag itself and everything else as text. DOMPurify lets through only what stands in these lists, the page's
// policy forbids the rest once more. No class, id, style, form, frame or image.

const TAGS = [
  ...['a', 'blockquote', 'br', 'code', 'del', 'div', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'kbd', 'li', 'ol'],
  ...['p', 'pre', 'strong', 'sub', 'sup', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'],
];
const PLAIN_ATTRIBUTES = ['start', 'align', 'data-code'];
const WEB_LINK = /^(?:https?:\/\/|mailto:)/i;

// Each is set up once: read anew for each block, its lists take longer than the block.
const purify = DOMPurify(window);
purify.setConfig({
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ['href', ...PLAIN_ATTRIBUTES],
  ADD_URI_SAFE_ATTR: PLAIN_ATTRIBUTES,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: WEB_LINK,
  RETURN_DOM_FRAGMENT: true,
});
const code = DOMPurify(window);
/** Highlighted code: spans with a class and nothing else. */
code.setConfig({ ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true });

/** By its set-up it gives nodes, which its types don't know. */
const nodesOf = (purifier: typeof purify, html: string) => purifier.sanitize(html) as unknown as DocumentFragment;

/** Safe nodes for one block, and the code blocks found inside it (in lists and quotes), each with its place. */
export interface SafeBlock {
  fragment: DocumentFragment;
  codes: { place: HTMLElement; token: Tokens.Code }[];
}

export function renderBlock(token: Token): SafeBlock {
  const codes: Tokens.Code[] = [];
  markTags(token);
  const html = new Parser({ renderer: new SafeRenderer(codes), gfm: true }).parse([token]);
  const fragment = nodesOf(purify, html);
  for (const a of fragment.querySelectorAll('a')) {
    // Where a link leads is said before anybody follows it; what leads nowhere is no link.
    if (a.hasAttribute('href')) a.title = a.getAttribute('href') ?? '';
    else a.replaceWith(...a.childNodes);
  }
  for (const table of fragment.querySelectorAll('table')) {
    const box = document.createElement('div');
    box.className = 'table';
    box.tabIndex = 0;
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', 'Table');
    table.replaceWith(box);
    box.append(table);
  }
  const places: SafeBlock['codes'] = [];
  for (const place of fragment.querySelectorAll<HTMLElement>('[data-code]')) {
    const found = codes[Number(place.dataset.code)];
    place.removeAttribute('data-code');
    if (found && place.localName === 'div') places.push({ place, token: found });
  }
  return { fragment, codes: places };
}

export function safeCode(html: string): DocumentFragment {
  return nodesOf(code, html);
}

/** A link that this view may ask its host to open. */
export function isWebLink(href: string): boolean {
  return WEB_LINK.test(href);
}

class SafeRenderer extends Renderer {
  constructor(private readonly codes: Tokens.Code[]) {
    super();
  }
  override code(token: Tokens.Code): string {
    return `<div data-code="${this.codes.push(token) - 1}"></div>`;
  }
  override checkbox({ checked }: Tokens.Checkbox): string {
    return checked ? '☑ ' : '☐ ';
  }
  /** Nothing is fetched for a picture: its words are shown, and a link where one can look at it. */
  override image({ href, text }: Tokens.Image): string {
    const words = escapeHtml(`Image: ${text.trim() || 'no description'}`);
    return isWebLink(href) ? `<a href="${escapeHtml(href)}">${words}</a>` : `<em>${words}</em>`;
  }
  /** Tags are something to read: they are shown as they were written, but for the few that `markTags` has found to be meant. */
  override html(token: Tokens.HTML | Tokens.Tag): string {
    return (token as MeantTag).meant ?? escapeHtml(token.text);
  }
}

/** A tag that is drawn instead of shown, as it is written here. */
interface MeantTag extends Tokens.Tag {
  meant?: string;
}

const PAIR = /^<(\/?)(kbd|sub|sup)>$/i;
const BREAK = /^<br\s*\/?>$/i;

/** Finds the tags that are surely meant, within one line of text: a key, an index, an exponent with both ends; a break in a table. */
function markTags(token: Token): void {
  walkTokens([token], (outer) => {
    const inner = 'tokens' in outer ? (outer.tokens ?? []) : [];
    const open: { tag: string; token: MeantTag }[] = [];
    for (const one of inner) {
      const [, end, name = ''] = (one.type === 'html' && PAIR.exec(one.raw)) || [];
      const tag = name.toLowerCase();
      if (tag === '') continue;
      const begin = end ? open.pop() : undefined;
      if (!end) open.push({ tag, token: one as MeantTag });
      else if (begin?.tag === tag) {
        begin.token.meant = `<${tag}>`;
        (one as MeantTag).meant = `</${tag}>`;
      }
    }
    if (outer.type !== 'table') return;
    for (const cell of [...(outer as Tokens.Table).header, ...(outer as Tokens.Table).rows.flat()])
      walkTokens(cell.tokens, (one) => {
        if (one.type === 'html' && BREAK.test(one.raw)) (one as MeantTag).meant = '<br>';
      });
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
