import { withoutInvisible } from '../../../../shared/answers/invisible.ts';
import { splitLines } from '../../hunks/hunks.ts';
import { readAnswer } from '../../hunks/stream.ts';

/** The most of a diff to send (UTF-16 units, some 10,000 tokens). It leaves space in a context of 16,000 tokens. */
export const MAX_DIFF = 30_000;
/** In a shortened diff, each file keeps at least this much (its names and some lines), as far as files fit. */
const MIN_OF_FILE = 300;
/** The requested length of a subject. A subject that is only a little longer stays as the model wrote it. */
const ASKED_SUBJECT = 72;
const MAX_SUBJECT = 90;

const SCISSORS = '# ------------------------ >8 ------------------------';

/**
 * The instruction for a commit message. `subjects`: those of the latest commits, newest first, as examples of the
 * style. `hasStart`: the author has already typed something. `wish`: what the author asks for beside it.
 */
export function commitInstruction(subjects: readonly string[], hasStart: boolean, wish = ''): string {
  const style = subjects.map((subject) => `- ${subject.slice(0, 120)}`).join('\n');
  return [
    'Write the commit message for the changes below the scissors line.',
    `The selection is the message: first a subject of at most ${ASKED_SUBJECT} characters in the imperative. Only where the changes don't speak for themselves, an empty line and a short body that says why, wrapped at ${ASKED_SUBJECT} characters.`,
    'Say what the changes do and not which files they touch. No quotes, no comment lines, no trailers.',
    ...(hasStart
      ? ['The author has begun the message. Keep their words, language and meaning, unless it can be said better.']
      : []),
    ...(wish ? [`The author asks: ${wish}`] : []),
    ...(style ? [`The latest subjects, whose language and style to keep:\n${style}`] : []),
  ].join('\n');
}

/** The changes in the format of `git commit --verbose`, below a message, with at most `max` UTF-16 units of diff. */
export function belowScissors(diff: string, max = MAX_DIFF): string {
  return [
    SCISSORS,
    '# Do not modify or remove the line above.',
    '# Everything below it will be ignored.',
    boundDiff(diff, max),
  ].join('\n');
}

/**
 * Shortens a diff to at most `max` UTF-16 units. The biggest files are cut first, all to the same size. A comment
 * replaces each omitted part.
 */
export function boundDiff(diff: string, max: number): string {
  if (diff.length <= max) return diff;
  const files = diff.split(/^(?=diff --git )/m);
  // Reserves a line for each cut, and one for omitted files.
  const shown = files.slice(0, Math.max(1, Math.floor(max / MIN_OF_FILE)));
  const size = evenSize(
    shown.map((file) => file.length),
    max - 100,
  );
  const left = files.slice(shown.length).map(nameOf);
  const rest = left.length > 0 ? `# ${left.length} more files are changed, left out here: ${left.join(', ')}` : '';
  return `${shown.map((file) => cutFile(file, size)).join('')}${rest.length <= 100 ? rest : `${rest.slice(0, 99)}…`}`;
}

/** A new file in the format of a diff: git has no diff for untracked files. */
export function newFileDiff(path: string, text: string): string {
  const lines = splitLines(text);
  const endsInLine = lines.at(-1) !== '';
  if (!endsInLine) lines.pop();
  const head = `diff --git a/${path} b/${path}\nnew file mode 100644\n`;
  if (lines.length === 0) return head;
  const body = lines.map((line) => `+${line}\n`).join('');
  const noEnd = endsInLine ? '\\ No newline at end of file\n' : '';
  return `${head}--- /dev/null\n+++ b/${path}\n@@ -0,0 +1,${lines.length} @@\n${body}${noEnd}`;
}

/**
 * The commit message in a model's answer, without the fence, quotes and remarks that models add, and with a subject
 * that is not too long. Empty until there is one. `ended`: the answer is complete. `start`: the text that the author
 * had typed.
 */
export function readMessage(answer: string, ended: boolean, start: string): string {
  const read = readAnswer(answer, ended, { selection: splitLines(start), languageId: 'git-commit' });
  if (read.kind !== 'lines') return '';
  const below = read.lines.findIndex((line) => /^# -+ >8 -+$/.test(line) || line.startsWith('diff --git '));
  const lines = below === -1 ? read.lines : read.lines.slice(0, below);
  const text = lines.map((line) => line.trimEnd()).join('\n');
  const said = text.replace(/^\s*(?:here(?: is|['’]s)\b[^\n]*:\s*(?:\n|$)|(?:suggested )?commit message:\s*)/i, '');
  return withSaneSubject(withoutQuotes(withoutInvisible(said).trim(), ended));
}

function withoutQuotes(text: string, ended: boolean): string {
  const [, quote = '', inner = ''] = /^(\*\*|["'`“])(.*)$/s.exec(text) ?? [];
  if (quote === '') return text;
  const close = quote === '“' ? '”' : quote;
  const at = inner.indexOf(close);
  if (at === -1) return ended ? text : inner;
  // Removes quotes around the whole message or around the subject, but keeps a quoted word inside.
  if (at + close.length === inner.length) return inner.slice(0, at).trim();
  return inner.startsWith('\n', at + close.length) ? inner.slice(0, at) + inner.slice(at + close.length) : text;
}

/** Moves the rest of a subject that is far too long into the body, as GitHub does. */
function withSaneSubject(text: string): string {
  const [subject = '', ...others] = text.split('\n');
  const body = others.join('\n').trim();
  if (subject.length <= MAX_SUBJECT) return body ? `${subject}\n\n${body}` : subject;
  const sentence = /^(.{10,90}?)[.;]\s+(\S.*)$/.exec(subject);
  const at = subject.lastIndexOf(' ', ASKED_SUBJECT - 1);
  const cut = at > 10 ? at : ASKED_SUBJECT - 1;
  const [first, rest] = sentence
    ? [sentence[1]!, sentence[2]!]
    : [`${subject.slice(0, cut).trimEnd()}…`, `…${subject.slice(cut).trimStart()}`];
  return [first, '', wrap(rest), ...(body ? ['', body] : [])].join('\n');
}

function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > ASKED_SUBJECT) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

/** The largest size per file for which the total stays within `max`. Small files leave their rest to the others. */
function evenSize(lengths: readonly number[], max: number): number {
  let left = max;
  const ascending = lengths.toSorted((a, b) => a - b);
  for (const [index, length] of ascending.entries()) {
    const share = left / (ascending.length - index);
    if (length > share) return Math.floor(share);
    left -= length;
  }
  return max;
}

function cutFile(file: string, size: number): string {
  if (file.length <= size) return file;
  const lines = splitLines(file);
  const told = (left: number) => `# ${left} more lines of this file are left out.\n`;
  const room = size - told(lines.length).length;
  // Always keep the line that names the file.
  let text = `${lines[0]!.slice(0, Math.max(0, room - 1))}\n`;
  let at = 1;
  while (at < lines.length && text.length + lines[at]!.length + 1 <= room) text += `${lines[at++]}\n`;
  return text + told(lines.length - (lines.at(-1) === '' ? 1 : 0) - at);
}

const nameOf = (file: string) => /^diff --git .* "?b\/(.*?)"?$/m.exec(file)?.[1] ?? 'a file';
