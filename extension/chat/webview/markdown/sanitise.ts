import DOMPurify from 'dompurify';
import { Parser, Renderer, type Token, type Tokens } from 'marked';
import { drawBlock, SANITISING } from '../../../../shared/answers/answerHtml.ts';
import type { MathToken } from '../../../../shared/answers/answerMarkdown.ts';
import type { FileReference } from '../../../../shared/answers/fileReferences.ts';
import { filesIn } from './files.ts';

// Each is set up once: read anew for each block, its lists take longer than the block.
const purify = DOMPurify(window);
purify.setConfig({ ...SANITISING, RETURN_DOM_FRAGMENT: true });
const code = DOMPurify(window);
/** Highlighted code: spans with a class and nothing else. */
code.setConfig({ ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true });

/** By its set-up it gives nodes, which its types don't know. */
const nodesOf = (purifier: typeof purify, html: string) => purifier.sanitize(html) as unknown as DocumentFragment;

/** Safe nodes for one block, and the code, the math and the files found inside it, each with its place. */
export interface SafeBlock {
  fragment: DocumentFragment;
  codes: { place: HTMLElement; token: Tokens.Code }[];
  maths: { place: HTMLElement; math: MathToken }[];
  files: { place: HTMLElement; reference: FileReference }[];
}

export function renderBlock(token: Token): SafeBlock {
  const { html, codes, maths, targets } = drawBlock<Tokens.Code>({ Renderer, Parser }, token, true);
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
  return {
    fragment,
    files: filesIn(fragment, targets),
    codes: placesOf(fragment, 'data-code', codes).map(({ place, of }) => ({ place, token: of })),
    maths: placesOf(fragment, 'data-math', maths).map(({ place, of }) => ({ place, math: of })),
  };
}

function placesOf<T>(
  fragment: DocumentFragment,
  attribute: string,
  all: readonly T[],
): { place: HTMLElement; of: T }[] {
  return [...fragment.querySelectorAll<HTMLElement>(`[${attribute}]`)].flatMap((place) => {
    const of = all[Number(place.getAttribute(attribute))];
    place.removeAttribute(attribute);
    return of ? [{ place, of }] : [];
  });
}

export function safeCode(html: string): DocumentFragment {
  return nodesOf(code, html);
}
