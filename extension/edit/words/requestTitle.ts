import { withoutInvisible } from '../../../shared/answers/invisible.ts';

/** UTF-16 units that fit into a row of a list. */
const MAX_TITLE = 60;

/** The title of a request in lists and messages: its first line. A long line is cut after a word. */
export function requestTitle(instruction: string): string {
  const line = (withoutInvisible(instruction).trim().split(/\r?\n/)[0] ?? '').replace(/\s+/g, ' ').trim();
  if (line.length <= MAX_TITLE) return line;
  const cut = line.slice(0, MAX_TITLE);
  const end = cut.lastIndexOf(' ');
  // A language without spaces is cut between characters; never split a surrogate pair.
  const kept = end > MAX_TITLE / 2 ? cut.slice(0, end) : cut.replace(/[\uD800-\uDBFF]$/, '');
  return `${kept.replace(/[\s,.;:–—-]+$/, '')}…`;
}
