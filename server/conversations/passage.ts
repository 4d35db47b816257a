import { withoutInvisible } from '../../shared/answers/invisible.ts';
import type { Passage } from '../../shared/conversations.ts';

/** In UTF-16 units: what is shown of a text around what was looked for. */
const BEFORE = 40;
const AFTER = 120;
const MATCH = 80;

/** Where a part stands in a text, in one line. Only the text's beginning where it can't be told. */
export function passageOf(text: string, part: string): Passage {
  const line = oneLine(text);
  const { start, end } = find(line, oneLine(part).trim()) ?? { start: 0, end: 0 };
  const match = line.slice(start, end);
  // Of a long part its beginning is shown, and nothing behind it.
  const isLong = match.length > MATCH;
  return {
    before: cutStart(line.slice(0, start)),
    match: isLong ? `${whole(match.slice(0, MATCH))}…` : match,
    after: isLong ? '' : cutEnd(line.slice(end)),
  };
}

const oneLine = (text: string) => withoutInvisible(text).replace(/\s+/g, ' ');

/** By letters in one case. What some of them become is longer, so each tells where it came from. */
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

/** Letter by letter, or the last sigma of a word would be another one. */
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

/** A cut may go through a letter: what is left of it is no letter. */
const whole = (text: string) => text.replace(/^[\uDC00-\uDFFF]?\p{M}*/u, '').replace(/[\uD800-\uDBFF]$/, '');
