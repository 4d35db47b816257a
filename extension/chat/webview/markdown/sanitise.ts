import DOMPurify from 'dompurify';
import { Parser, Renderer, type Token, type Tokens } from 'marked';
import { drawBlock, SANITISING } from '../../../../shared/answers/answerHtml.ts';
import type { MathToken } from '../../../../shared/answers/answerMarkdown.ts';
import { type Place, placesIn } from './files.ts';

// Each sanitiser is configured only once: parsing its lists for each block would take longer than the block.
const purify = DOMPurify(window);
purify.setConfig({ ...SANITISING, RETURN_DOM_FRAGMENT: true });
const code = DOMPurify(window);
/** For highlighted code: only spans with a class. */
code.setConfig({ ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true });

/** The configuration makes it return nodes; its types don't know that. */
const nodesOf = (purifier: typeof purify, html: string) => purifier.sanitize(html) as unknown as DocumentFragment;

/** The sanitised nodes of one block, and the code, math and possible links found in it, each with its place. */
export interface SafeBlock {
  fragment: DocumentFragment;
  codes: { place: HTMLElement; token: Tokens.Code }[];
  maths: { place: HTMLElement; math: MathToken }[];
  links: Place[];
}

export function renderBlock(token: Token): SafeBlock {
  const { html, codes, maths, targets } = drawBlock<Tokens.Code>({ Renderer, Parser }, token, true);
  const fragment = nodesOf(purify, html);
  for (const a of fragment.querySelectorAll('a')) {
    // Show a link's target before the user clicks it. An element without a target is not a link.
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
    links: placesIn(fragment, targets),
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
