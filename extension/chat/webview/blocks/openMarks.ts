import { isUnspaced } from '../../../../shared/answers/flanking.ts';

/** Emphasis that opened further from the end than this is not closed (UTF-16 units). */
const MOST_OPEN = 300;
const MARK = /(`{1,20})|(\*{1,3}|_{1,3}|~{1,2})|\\\(|\$\$|\\[\s\S]/gu;
const LINK = /!?\[([^[\]\n]{1,200})\]\([^()\s]{0,2000}$/;
const WORD = /[\p{L}\p{N}]/u;

/**
 * Closes the open marks in the last line of a growing text: `**bo` is already bold, and `[docs](https://exa` shows only
 * its words.
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
      // Three backticks at the start of a line are a fence. Otherwise the rest of the line is inline code.
      else if (line.slice(0, from).trim() === '' && ticks.length > 2) return text;
      else {
        if (next === '') end = from;
        else open.push({ mark: ticks, at: from });
        break;
      }
    } else if (mark) {
      // A single tilde is no mark, but a second one may follow.
      if (mark === '~' && next !== '') continue;
      const before = line[from - 1] ?? '';
      const last = open.at(-1);
      if (last?.mark[0] === mark[0] && !/\s/.test(before)) {
        open.pop();
        // `**bold*` has only half of its closing mark.
        if (mark.length < last!.mark.length && next === '') {
          open.push(last!);
          end = from;
        }
      } else if (next === '') {
        if (!WORD.test(before) || isUnspaced(before)) end = from;
      } else if (!/\s/.test(next) && !isWithinWord(mark, before, next)) open.push({ mark, at: from });
    } else if (all === '\\(' || all === '$$') {
      // Inside math, Markdown marks have no meaning.
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

/** The mark is part of a name, a product or a range, and is not emphasis. */
const isWithinWord = (mark: string, before: string, next: string) =>
  (mark[0] === '_' || mark.length === 1) && WORD.test(before) && WORD.test(next);
