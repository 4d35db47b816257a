import DOMPurify from 'dompurify';
import { Lexer, Parser, Renderer, type Token } from 'marked';
import { drawBlock, isWebLink, SANITISING } from '../../../shared/answers/answerHtml.ts';
import { answerLexer, type MathToken } from '../../../shared/answers/answerMarkdown.ts';
import { MOST_OF_BLOCK } from '../../../shared/answers/boundedMarkdown.ts';
import type { ReadMath } from '../../../shared/answers/mathTree.ts';
import { MathInk } from '../../../shared/math/mathInk.ts';

const AnswerLexer = answerLexer(Lexer);
/** The page's script element, available only during its first run. It names the script for math. */
const own = document.currentScript;
const ink = new MathInk(document, loadMath);

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return;
  if (!isWebLink(node.getAttribute('href') ?? '')) node.removeAttribute('href');
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer nofollow');
});

/**
 * Renders a model's Markdown as inert nodes: no script, no form, no external picture, no style. A block that can't be
 * rendered is shown as text. Math is drawn once its library has loaded.
 */
export function renderMarkdown(text: string): Node[] {
  try {
    return new AnswerLexer().lex(text.replace(/\r\n?/g, '\n')).flatMap(renderBlock);
  } catch {
    return [asWritten(text)];
  }
}

function renderBlock(token: Token): Node[] {
  if (token.type === 'space' || token.type === 'def') return [];
  if (token.type !== 'code' && token.raw.length > MOST_OF_BLOCK) return [asWritten(token.raw)];
  try {
    const { html, maths } = drawBlock({ Renderer, Parser }, token, false);
    const block = document.createElement('div');
    block.className = 'block';
    block.dir = token.type === 'code' ? 'ltr' : 'auto';
    block.append(DOMPurify.sanitize(html, { ...SANITISING, RETURN_DOM_FRAGMENT: true }));
    const places = [...block.querySelectorAll<HTMLElement>('[data-math]')].flatMap((place) => {
      const math: MathToken | undefined = maths[Number(place.dataset.math)];
      place.removeAttribute('data-math');
      return math ? [{ place, math }] : [];
    });
    ink.draw(places);
    return [block];
  } catch {
    return [asWritten(token.raw)];
  }
}

function asWritten(text: string): Node {
  const block = document.createElement('div');
  block.className = 'plain';
  block.dir = 'auto';
  block.textContent = text.trimEnd();
  return block;
}

function loadMath(): Promise<ReadMath> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.onload = () => resolve((globalThis as unknown as { perigeeMath: ReadMath }).perigeeMath);
    script.onerror = reject;
    script.src = own?.dataset.math ?? '';
    document.head.append(script);
  });
}
