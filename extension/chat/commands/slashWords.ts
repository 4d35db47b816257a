import { baseName, type StoredChip, tellLines } from '../context/attachments.ts';
import type { SlashCommand } from '../protocol.ts';

/** What a command does: asks about a subject or the changes, or something else than a question. */
export type BuiltIn = keyof typeof ASKS | 'review' | 'commit' | 'compact' | 'new' | 'help';

/** The questions about the selection, or the file in front. */
const ASKS = {
  explain: (subject: string) => `Explain ${subject}`,
  fix: (subject: string, hasProblems: boolean) => `Fix ${hasProblems ? 'the problems' : 'what is wrong'} in ${subject}`,
  tests: (subject: string) => `Write tests for ${subject}`,
  document: (subject: string) => `Write documentation comments for ${subject}`,
};
export type Ask = keyof typeof ASKS;

export const BUILT_IN: (SlashCommand & { name: BuiltIn })[] = [
  { name: 'explain', icon: 'lightbulb', detail: 'The selection, or the open file', attaches: true },
  { name: 'fix', icon: 'warning', detail: 'What is wrong with it', attaches: true },
  { name: 'tests', icon: 'beaker', detail: 'Tests for it', attaches: true },
  { name: 'document', icon: 'edit', detail: 'Comments for it', attaches: true },
  { name: 'review', icon: 'list-selection', detail: 'My uncommitted changes', attaches: true },
  { name: 'commit', icon: 'git-commit', detail: 'A commit message for the changes' },
  { name: 'compact', icon: 'fold', detail: 'Summarise this chat to make room' },
  { name: 'new', icon: 'add', detail: 'A new chat' },
  { name: 'help', icon: 'info', detail: 'All commands' },
];

export const isAsk = (name: string): name is Ask => Object.hasOwn(ASKS, name);

/** The command that a text begins with, in lower case, and the text after it. Paths such as `/usr/bin` are none. */
export function readCommand(text: string): { name: string; rest: string } | undefined {
  const whole = text.trim();
  if (!whole.startsWith('/')) return undefined;
  const end = whole.search(/\s/);
  const name = whole.slice(1, end < 0 ? undefined : end).toLowerCase();
  if (name === '' || name.length > 200 || name.includes('/')) return undefined;
  return { name, rest: end < 0 ? '' : whole.slice(end).trim() };
}

/** The question in plain words; `rest` is what the user typed after the command. */
export function askFor(name: Ask, chips: readonly StoredChip[], rest: string): string {
  const hasProblems = chips.some(({ kind }) => kind === 'problems');
  return withRest(ASKS[name](subjectOf(chips), hasProblems), rest);
}

export const reviewFor = (rest: string): string => withRest('Review my uncommitted changes', rest);

function subjectOf(chips: readonly StoredChip[]): string {
  const subjects = chips.filter(({ kind }) => isSubject(kind));
  const [first] = subjects;
  if (!first?.path || subjects.length > 1 || !isNamed(first)) return 'what is attached';
  return first.range ? tellLines(first) : baseName(first.path);
}

/** Kinds whose path is one. */
const NAMED: StoredChip['kind'][] = ['file', 'selection', 'symbol', 'folder'];
/** A pasted file has its name, a pasted text only its length. */
const isNamed = ({ kind, label, path }: StoredChip) => NAMED.includes(kind) || (kind === 'pasted' && label === path);

/** Problems and changes are beside the point: a command about code still needs the code. */
export const isSubject = (kind: StoredChip['kind']): boolean => kind !== 'problems' && kind !== 'diff';

function withRest(question: string, rest: string): string {
  if (rest === '') return `${question}.`;
  return rest.includes('\n') ? `${question}.\n\n${rest}` : `${question}: ${rest}`;
}
