import { withoutInvisible } from '../../../../shared/answers/invisible.ts';
import { splitLines } from '../../hunks/hunks.ts';
import { readAnswer } from '../../hunks/stream.ts';

/** So much of a diff (UTF-16 units, some 10,000 tokens) leaves room in a model that holds 16,000. */
export const MAX_DIFF = 30_000;
/** Of a diff that is cut, each file keeps at least its names and some lines, as long as there is room for the file. */
const MIN_OF_FILE = 300;
/** Asked for is a subject of 72 characters; what is not much longer stays as the model wrote it. */
const ASKED_SUBJECT = 72;
const MAX_SUBJECT = 90;

const SCISSORS = '# ------------------------ >8 ------------------------';

/**
 * What a model is asked for a commit message. `subjects`: those of the latest commits, newest first, which show the style;
 * `hasStart`: the author has typed something already.
 */
export function commitInstruction(subjects: readonly string[], hasStart: boolean): string {
  const style = subjects.map((subject) => `- ${subject.slice(0, 120)}`).join('\n');
  return [
    'Write the commit message for the changes below the scissors line.',
    `The selection is the message: first a subject of at most ${ASKED_SUBJECT} characters in the imperative. Only where the changes don't speak for themselves, an empty line and a short body that says why, wrapped at ${ASKED_SUBJECT} characters.`,
    'Say what the changes do and not which files they touch. No quotes, no comment lines, no trailers.',
    ...(hasStart
      ? ['The author has begun the message. Keep their words, language and meaning, unless it can be said better.']
      : []),
    ...(style ? [`The latest subjects, whose language and style to keep:\n${style}`] : []),
  ].join('\n');
}

/** The changes as `git commit --verbose` shows them below a message, cut to `max` UTF-16 units of diff. */
export function belowScissors(diff: string, max = MAX_DIFF): string {
  return [
    SCISSORS,
    '# Do not modify or remove the line above.',
    '# Everything below it will be ignored.',
    boundDiff(diff, max),
  ].join('\n');
}

/**
 * At most `max` UTF-16 units of a diff. The biggest files are cut first, all to the same size; what is left out stands in
 * its place as a comment.
 */
export function boundDiff(diff: string, max: number): string {
  if (diff.length <= max) return diff;
  const files = diff.split(/^(?=diff --git )/m);
  // Each cut is told in a line of its own, for which room is kept; so is one for files left out.
  const shown = files.slice(0, Math.max(1, Math.floor(max / MIN_OF_FILE)));
  const size = evenSize(
    shown.map((file) => file.length),
    max - 100,
  );
  const left = files.slice(shown.length).map(nameOf);
  const rest = left.length > 0 ? `# ${left.length} more files are changed, left out here: ${left.join(', ')}` : '';
  return `${shown.map((file) => cutFile(file, size)).join('')}${rest.length <= 100 ? rest : `${rest.slice(0, 99)}…`}`;
}

/** A new file as a diff shows it: git itself has no diff of files that it does not know yet. */
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
 * The commit message in a model's answer, without the fence, quotes and remarks that models put around it, its subject of a
 * sane length; empty while there is none. `ended`: no more text will come. `start`: what the author had typed.
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
  // Around all of it, or around the subject alone; a quoted word inside it stays.
  if (at + close.length === inner.length) return inner.slice(0, at).trim();
  return inner.startsWith('\n', at + close.length) ? inner.slice(0, at) + inner.slice(at + close.length) : text;
}

/** A subject that is far too long goes on in the body, as the forges do it. */
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

/** The most that each may have so that all together have no more than `max`: those below it give what they don't need. */
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
  // Kept in any case: the line that names the file.
  let text = `${lines[0]!.slice(0, Math.max(0, room - 1))}\n`;
  let at = 1;
  while (at < lines.length && text.length + lines[at]!.length + 1 <= room) text += `${lines[at++]}\n`;
  return text + told(lines.length - (lines.at(-1) === '' ? 1 : 0) - at);
}

const nameOf = (file: string) => /^diff --git .* "?b\/(.*?)"?$/m.exec(file)?.[1] ?? 'a file';
