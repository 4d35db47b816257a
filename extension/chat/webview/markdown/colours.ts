import type { ShownLine } from '../blocks/changes.ts';
import { highlight } from './highlight.ts';
import { safeCode } from './sanitise.ts';

/**
 * The highlighted lines of a change, null for each line that stays plain. The old and the new text are each highlighted
 * as a whole, so that strings and comments over several lines come out right.
 */
export function colourLines(lines: readonly ShownLine[], language: string): (DocumentFragment | null)[] {
  const of = (ops: ShownLine['op'][]) => {
    const side = lines.filter(({ op }) => ops.includes(op));
    const html = highlight(side.map(({ text }) => text).join('\n'), language);
    return html === null ? null : new Map(splitLines(safeCode(html)).map((line, i) => [side[i], line]));
  };
  const before = of(['keep', 'old']);
  const after = of(['keep', 'new']);
  return lines.map((line) => (line.op === 'old' ? before : after)?.get(line) ?? null);
}

/** Splits nodes at line ends; an element that crosses one is copied into both parts. */
function splitLines(whole: DocumentFragment): DocumentFragment[] {
  const lines = [document.createDocumentFragment()];
  const open: Element[] = [];
  const place = (): Node => open.at(-1) ?? lines.at(-1)!;
  const take = (node: Node) => {
    if (node instanceof Element) {
      const copy = node.cloneNode() as Element;
      place().appendChild(copy);
      open.push(copy);
      for (const child of node.childNodes) take(child);
      open.pop();
      return;
    }
    for (const [i, text] of (node.textContent ?? '').split('\n').entries()) {
      if (i > 0) {
        const line = document.createDocumentFragment();
        let parent: Node = line;
        for (const [depth, element] of open.entries()) {
          open[depth] = element.cloneNode() as Element;
          parent.appendChild(open[depth]);
          parent = open[depth];
        }
        lines.push(line);
      }
      if (text !== '') place().appendChild(document.createTextNode(text));
    }
  };
  for (const node of whole.childNodes) take(node);
  return lines;
}
