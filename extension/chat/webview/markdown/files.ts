import {
  type FileReference,
  readLinkTarget,
  readReference,
  referencesIn,
} from '../../../../shared/answers/fileReferences.ts';

/** A place in a block that may lead to a file, or to a symbol's definition. */
export type Place = { place: HTMLElement; reference: FileReference } | { place: HTMLElement; symbol: string };

/** Elements that are already links, math or code. */
const TAKEN = 'a, pre, [data-math], [data-path]';
/** A name as code has it, perhaps with its container: `send`, `Client.send()`, `client::send`. */
const SYMBOL = /^[\p{L}_$][\p{L}\p{N}_$]{2,80}(?:(?:\.|::|#)[\p{L}_$][\p{L}\p{N}_$]{1,80}){0,4}(?:\(\))?$/u;
/** Words that stand in backticks and name nothing of the user's. */
const NOT_SYMBOLS = new Set(
  'true false null undefined this self none void string number boolean object any int'.split(' '),
);
/** How many possible references in a block are examined. */
const MOST_PLACES = 300;

/** The text in a block that may refer to files or symbols, each reference in an element of its own. */
export function placesIn(fragment: DocumentFragment, targets: readonly string[]): Place[] {
  const found: Place[] = [];
  for (const link of fragment.querySelectorAll<HTMLElement>('[data-target]')) {
    const reference = readLinkTarget(targets[Number(link.dataset.target)] ?? '');
    link.removeAttribute('data-target');
    if (!reference) continue;
    link.dataset.path = '';
    found.push({ place: link, reference });
  }
  for (const code of fragment.querySelectorAll<HTMLElement>('code')) {
    if (code.closest(TAKEN)) continue;
    const text = code.textContent ?? '';
    const reference = readReference(text, true);
    if (reference) found.push({ place: around(code), reference });
    else if (SYMBOL.test(text) && !NOT_SYMBOLS.has(text.toLowerCase()))
      found.push({ place: around(code), symbol: text });
  }
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode())
    if (!walker.currentNode.parentElement?.closest(`${TAKEN}, code`)) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    // From the end, so that earlier offsets stay valid.
    for (const { from, to, reference } of referencesIn(text.data).reverse()) {
      text.splitText(to);
      found.push({ place: around(text.splitText(from)), reference });
    }
    if (found.length > MOST_PLACES) break;
  }
  return found.slice(0, MOST_PLACES);
}

function around(node: ChildNode): HTMLElement {
  const place = document.createElement('span');
  node.replaceWith(place);
  place.append(node);
  return place;
}
