import type { ReadMath } from '../../../../shared/answers/mathTree.ts';
import { MathInk } from '../../../../shared/math/mathInk.ts';

/** The page's script, with the math script's URL and nonce. `currentScript` is set only while it first runs. */
const own = document.currentScript as HTMLScriptElement | null;

export const ink = new MathInk(document, loadMath);

function loadMath(): Promise<ReadMath> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.nonce = own?.nonce ?? '';
    script.onload = () => resolve((globalThis as unknown as { perigeeMath: ReadMath }).perigeeMath);
    script.onerror = reject;
    script.src = own?.dataset.math ?? '';
    document.head.append(script);
  });
}

/** Copied text contains the math source as the model wrote it. */
export function copyAsWritten(event: ClipboardEvent): void {
  const selection = document.getSelection();
  if (!selection?.rangeCount || selection.isCollapsed || event.target instanceof HTMLTextAreaElement) return;
  const range = selection.getRangeAt(0).cloneRange();
  const mathAt = (node: Node) => (node instanceof Element ? node : node.parentElement)?.closest('[data-source]');
  const [first, last] = [mathAt(range.startContainer), mathAt(range.endContainer)];
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  const copied = document.createElement('div');
  copied.className = 'copied';
  copied.append(range.cloneContents());
  const maths = copied.querySelectorAll<HTMLElement>('[data-source]');
  if (maths.length === 0) return;
  for (const math of maths) math.replaceChildren(math.dataset.source ?? '');
  // A selection has line breaks only if its nodes are on the page.
  document.body.append(copied);
  event.clipboardData?.setData('text/plain', copied.innerText);
  copied.remove();
  event.preventDefault();
}
