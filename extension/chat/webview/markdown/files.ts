import {
  type FileReference,
  readLinkTarget,
  readReference,
  referencesIn,
} from '../../../../shared/answers/fileReferences.ts';

/** Elements that are already links, math or code. */
const TAKEN = 'a, pre, [data-math], [data-path]';
/** How many possible references in a block are examined. */
const MOST_PLACES = 300;

/** The text in a block that may refer to files, each reference in an element of its own. */
export function filesIn(
  fragment: DocumentFragment,
  targets: readonly string[],
): { place: HTMLElement; reference: FileReference }[] {
  const found: { place: HTMLElement; reference: FileReference }[] = [];
  for (const link of fragment.querySelectorAll<HTMLElement>('[data-target]')) {
    const reference = readLinkTarget(targets[Number(link.dataset.target)] ?? '');
    link.removeAttribute('data-target');
    if (!reference) continue;
    link.dataset.path = '';
    found.push({ place: link, reference });
  }
  for (const code of fragment.querySelectorAll<HTMLElement>('code')) {
    const reference = code.closest(TAKEN) ? undefined : readReference(code.textContent ?? '', true);
    if (reference) found.push({ place: around(code), reference });
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
