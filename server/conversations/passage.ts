import { withoutInvisible } from '../../shared/answers/invisible.ts';
import type { Passage } from '../../shared/conversations.ts';

/** How much text is shown around a match, in UTF-16 units. */
const BEFORE = 40;
const AFTER = 120;
const MATCH = 80;

/** A match in its surrounding text, on one line. Without a match, only the beginning of the text. */
export function passageOf(text: string, part: string): Passage {
  const line = oneLine(text);
  const { start, end } = find(line, oneLine(part).trim()) ?? { start: 0, end: 0 };
  const match = line.slice(start, end);
  // Of a long match only the beginning is shown, and nothing after it.
  const isLong = match.length > MATCH;
  return {
    before: cutStart(line.slice(0, start)),
    match: isLong ? `${whole(match.slice(0, MATCH))}…` : match,
    after: isLong ? '' : cutEnd(line.slice(end)),
  };
}

const oneLine = (text: string) => withoutInvisible(text).replace(/\s+/g, ' ');

/** Case-insensitive search. Some letters get longer when folded, so `from` maps each folded unit to its source. */
function find(text: string, part: string): { start: number; end: number } | undefined {
  let folded = '';
  const from: number[] = [];
  let at = 0;
  for (const letter of text) {
    const small = fold(letter);
    for (let i = 0; i < small.length; i++) from.push(at);
    folded += small;
    at += letter.length;
  }
  from.push(at);
  const wanted = [...part].map(fold).join('');
  const found = wanted === '' ? -1 : folded.indexOf(wanted);
  return found < 0 ? undefined : { start: from[found]!, end: from[found + wanted.length]! };
}

/** Folds letter by letter: a whole word's final sigma would become another letter. */
const fold = (letter: string) => letter.toLowerCase().replace('ς', 'σ');

function cutStart(text: string): string {
  if (text.length <= BEFORE) return text.trimStart();
  const end = whole(text.slice(-BEFORE));
  return `…${/\s/.test(end.trimEnd()) ? end.replace(/^\S*\s/, '') : end}`;
}

function cutEnd(text: string): string {
  if (text.length <= AFTER) return text.trimEnd();
  const start = whole(text.slice(0, AFTER));
  return `${/\s/.test(start.trimStart()) ? start.replace(/\s\S*$/, '') : start}…`;
}

/** Drops a letter that a cut has split. */
const whole = (text: string) => text.replace(/^[\uDC00-\uDFFF]?\p{M}*/u, '').replace(/[\uD800-\uDBFF]$/, '');
