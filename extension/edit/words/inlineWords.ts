import type { AttachedText } from '../../../shared/runs.ts';
import type { Message } from './messages.ts';

/** The text of a message in the thread of an edit, whose ways on are links below it. */
export function threadText({ severity, text }: Pick<Message<string>, 'severity' | 'text'>, hunks: number): string {
  // In the status bar, it says who speaks.
  const said = severity === 'status' ? capitalised(text.replace(/^Perigee: /, '')) : text;
  const review = hunks > 0 ? `${hunks} hunk${hunks === 1 ? '' : 's'} to review.` : '';
  return [review, said && !/[.!?…”]$/.test(said) ? `${said}.` : said].filter((part) => part !== '').join(' ');
}

/** What went along with a prompt, and which `@` names nothing; empty if it has none. */
export function alongText(attachments: readonly AttachedText[], missing: readonly string[]): string {
  const names = attachments.map(
    ({ path, kind }) => path ?? (kind === 'diff' ? 'the uncommitted changes' : `the ${kind}`),
  );
  return [
    names.length > 0 ? `Sent along: ${someOf(names)}.` : '',
    missing.length > 0 ? `Not found, so text only: ${someOf(missing.map((name) => `@${name}`))}.` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

const MOST_NAMED = 6;
const someOf = (all: readonly string[]) =>
  all.length <= MOST_NAMED
    ? all.join(', ')
    : `${all.slice(0, MOST_NAMED).join(', ')} and ${all.length - MOST_NAMED} more`;

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
