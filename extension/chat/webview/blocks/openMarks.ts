import { isUnspaced } from '../../../../shared/answers/flanking.ts';

/** Marks of emphasis further from the end than this are not waited for (UTF-16 units). */
const MOST_OPEN = 300;
const MARK = /(`{1,20})|(\*{1,3}|_{1,3}|~{1,2})|\\\(|\$\$|\\[\s\S]/gu;
const LINK = /!?\[([^[\]\n]{1,200})\]\([^()\s]{0,2000}$/;
const WORD = /[\p{L}\p{N}]/u;

/**
 * A text that goes on, as it will look once the marks that its last line leaves open are closed: `**bo` is bold already, and
 * of `[docs](https://exa` only the words are shown.
 */
export function withMarksClosed(text: string): string {
  const at = Math.max(text.lastIndexOf('\n') + 1, text.length - 2 * MOST_OPEN);
  const line = text.slice(at).replace(LINK, '$1');
  const open: { mark: string; at: number }[] = [];
  let end = line.length;
  MARK.lastIndex = 0;
  for (let found = MARK.exec(line); found; found = MARK.exec(line)) {
    const [all, ticks, mark] = found;
    const from = found.index;
    const next = line[from + all.length] ?? '';
    if (ticks) {
      const close = line.indexOf(ticks, MARK.lastIndex);
      if (close >= 0) MARK.lastIndex = close + ticks.length;
      // Three of them at the beginning of a line are a fence; otherwise all that follows is code.
      else if (line.slice(0, from).trim() === '' && ticks.length > 2) return text;
      else {
        if (next === '') end = from;
        else open.push({ mark: ticks, at: from });
        break;
      }
    } else if (mark) {
      // One tilde is no mark, but may become one.
      if (mark === '~' && next !== '') continue;
      const before = line[from - 1] ?? '';
      const last = open.at(-1);
      if (last?.mark[0] === mark[0] && !/\s/.test(before)) {
        open.pop();
        // `**bold*` has half of its end.
        if (mark.length < last!.mark.length && next === '') {
          open.push(last!);
          end = from;
        }
      } else if (next === '') {
        if (!WORD.test(before) || isUnspaced(before)) end = from;
      } else if (!/\s/.test(next) && !isWithinWord(mark, before, next)) open.push({ mark, at: from });
    } else if (all === '\\(' || all === '$$') {
      // Math: no marks of Markdown follow before its end.
      const close = line.indexOf(all === '$$' ? '$$' : '\\)', MARK.lastIndex);
      if (close < 0) return text;
      MARK.lastIndex = close + 2;
    }
  }
  if (open.some(({ at: from }) => line.length - from > MOST_OPEN)) return text;
  const shown = line.slice(0, end);
  if (shown.trim() === '') return text;
  const closers = open.map(({ mark }) => mark).reverse();
  const filled = shown.trimEnd();
  return `${text.slice(0, at)}${filled}${closers.join('')}${shown.slice(filled.length)}`;
}

/** A name, a product or a range rather than emphasis. */
const isWithinWord = (mark: string, before: string, next: string) =>
  (mark[0] === '_' || mark.length === 1) && WORD.test(before) && WORD.test(next);
