import DOMPurify from 'dompurify';
import { Lexer, Parser, Renderer, type Token, type Tokens } from 'marked';
import { bounded, MOST_OF_BLOCK } from '../../../shared/boundedMarkdown.ts';

const BoundedLexer = bounded(Lexer);
const SAFE_LINK = /^(https?:|mailto:)/i;

/** Nothing of the text is ever a tag: HTML in an answer is something to read, and a picture is its words with a link. */
class PageRenderer extends Renderer {
  override html({ text }: Tokens.HTML | Tokens.Tag): string {
    return escaped(text);
  }
  override image({ href, text }: Tokens.Image): string {
    const words = escaped(`Image: ${text.trim() || 'no description'}`);
    return SAFE_LINK.test(href) ? `<a href="${escaped(href)}">${words}</a>` : `<em>${words}</em>`;
  }
  override checkbox({ checked }: Tokens.Checkbox): string {
    return checked ? '☑ ' : '☐ ';
  }
}

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return;
  if (!SAFE_LINK.test(node.getAttribute('href') ?? '')) node.removeAttribute('href');
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer nofollow');
});

/**
 * What a model wrote, as HTML that does nothing and loads nothing: no script, no form, no picture from elsewhere, no style.
 * A block that can't be drawn is text.
 */
export function renderMarkdown(text: string): string {
  try {
    return new BoundedLexer({ gfm: true }).lex(text).map(renderBlock).join('');
  } catch {
    return asWritten(text);
  }
}

function renderBlock(token: Token): string {
  if (token.type !== 'code' && token.raw.length > MOST_OF_BLOCK) return asWritten(token.raw);
  try {
    const html = new Parser({ renderer: new PageRenderer(), gfm: true }).parse([token]);
    return DOMPurify.sanitize(html, {
      ALLOWED_TAGS: [
        ...['a', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'li', 'ol'],
        ...['p', 'pre', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'],
      ],
      ALLOWED_ATTR: ['href', 'start', 'align'],
      ALLOW_DATA_ATTR: false,
      ALLOW_ARIA_ATTR: false,
    });
  } catch {
    return asWritten(token.raw);
  }
}

const asWritten = (text: string) => `<div class="plain">${escaped(text.trimEnd())}</div>`;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
