import DOMPurify from 'dompurify';
import { Parser, Renderer, type Token, type Tokens } from 'marked';

// The text comes from a model that may have read anything. Marked makes HTML of it, DOMPurify lets through only what
// stands in these lists, the page's policy forbids the rest once more. No class, id, style, form, frame or image.

const TAGS = [
  ...[
    'a',
    'b',
    'blockquote',
    'br',
    'code',
    'del',
    'details',
    'div',
    'em',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'hr',
    'i',
  ],
  ...[
    'ins',
    'kbd',
    'li',
    'mark',
    'ol',
    'p',
    'pre',
    's',
    'strong',
    'sub',
    'summary',
    'sup',
    'table',
    'tbody',
    'td',
    'th',
  ],
  ...['thead', 'tr', 'u', 'ul'],
];
const PLAIN_ATTRIBUTES = ['start', 'align', 'data-code'];
const WEB_LINK = /^(?:https?:\/\/|mailto:)/i;

const purify = DOMPurify(window);
purify.addHook('uponSanitizeElement', (node) => {
  if (node.nodeName === 'IMG' && node instanceof Element) node.replaceWith(imageLink(node));
});
const code = DOMPurify(window);

/** Safe nodes for one block, and the code blocks found inside it (in lists and quotes), each with its place. */
export interface SafeBlock {
  fragment: DocumentFragment;
  codes: { place: HTMLElement; token: Tokens.Code }[];
}

export function renderBlock(token: Token): SafeBlock {
  const codes: Tokens.Code[] = [];
  const html = new Parser({ renderer: new SafeRenderer(codes), gfm: true }).parse([token]);
  const fragment = purify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ['href', ...PLAIN_ATTRIBUTES],
    ADD_URI_SAFE_ATTR: PLAIN_ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: WEB_LINK,
    RETURN_DOM_FRAGMENT: true,
  });
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

/** Highlighted code: spans with a class and nothing else. */
export function safeCode(html: string): DocumentFragment {
  return code.sanitize(html, { ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true });
}

/** A link that this view may ask its host to open. */
export function isWebLink(href: string): boolean {
  return WEB_LINK.test(href);
}

/** Nothing is fetched for a picture: its words are shown, and a link where one can look at it. */
function imageLink(image: Element): Node {
  const text = `Image: ${image.getAttribute('alt')?.trim() || 'no description'}`;
  const source = image.getAttribute('src') ?? '';
  const node = document.createElement(isWebLink(source) ? 'a' : 'em');
  if (isWebLink(source)) node.setAttribute('href', source);
  node.textContent = text;
  return node;
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
  override image({ href, text }: Tokens.Image): string {
    return `<img src="${escapeHtml(href)}" alt="${escapeHtml(text)}">`;
  }
  /** Tags that would be dropped are shown as they were written, so that nothing of the text is lost. */
  override html({ text }: Tokens.HTML | Tokens.Tag): string {
    const tag = /^\s*<\/?([a-z][a-z0-9-]*)/i.exec(text)?.[1]?.toLowerCase();
    if (!tag) return text.trimStart().startsWith('<!--') ? '' : escapeHtml(text);
    return TAGS.includes(tag) || tag === 'img' ? text : escapeHtml(text);
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
