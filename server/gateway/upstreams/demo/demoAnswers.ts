import { changeFiles } from './demoFiles.ts';
import { type DemoAttachment, fenced } from './demoPrompt.ts';
import { isAboutSample, sampleFault } from './demoSample.ts';

/** The most declarations of a file that are listed. */
const MOST = 12;
const DECLARATION =
  /^(?:export |default |public |private |protected |static |async |abstract |pub )*(?:function|class|interface|type|enum|const|let|var|def|fn|func|struct|trait|impl|module|namespace)\b/;

/** Rule-based answers to an empty chat's suggestions, each with a next step. Undefined for any other message. */
export function suggested(
  words: string,
  attachments: readonly DemoAttachment[],
): [title: string, body: string] | undefined {
  const files = attachments.filter(({ kind, path }) => path !== '' && (kind === 'file' || kind === 'selection'));
  if (/^explain\b.*\brebase\b|\brebase and merge\b/i.test(words)) return ['Rebase and merge', REBASE];
  if (/\bISO 8601 dates\b/i.test(words)) return ['A regular expression', DATES];
  if (/^explain\b/i.test(words) && files.length > 0) return ['What stands there', explain(words, files)];
  if (/^review my uncommitted changes/i.test(words)) return ['Your changes', review(attachments)];
  if (isAboutSample(words, []) || (/^fix\b/i.test(words) && isAboutSample('', files)))
    return ['The sample', sampleFault()];
  return undefined;
}

function explain(words: string, files: readonly DemoAttachment[]): string {
  const outlines = files.map(({ label, languageId, text }) => {
    const lines = text.split('\n');
    const found = lines.flatMap((line, index) => (DECLARATION.test(line.trim()) ? [{ line: line.trim(), index }] : []));
    const told = found
      .slice(0, MOST)
      .map(({ line, index }) => `- line ${index + 1}: \`${line.replaceAll('`', "'").slice(0, 80)}\``);
    const more = found.length > MOST ? [`- and ${found.length - MOST} more`] : [];
    const count = `${lines.length} lines${languageId && ` of ${languageId}`}`;
    return [`**${label}**: ${count}.`, ...(told.length > 0 ? ['', ...told, ...more] : [])].join('\n');
  });
  const next = isAboutSample(words, files)
    ? sampleFault()
    : `A real model would say what it is for. This change by a fixed rule shows how one is applied:\n\n${changeFiles('', [...files])}`;
  return [...outlines, next].join('\n\n');
}

function review(attachments: readonly DemoAttachment[]): string {
  const diffs = attachments.filter(({ kind }) => kind === 'diff');
  const files = diffs
    .flatMap(({ text }) => text.split(/^(?=diff --git )/m))
    .flatMap((file) => {
      const [, path] = /^diff --git .* "?b\/(.*?)"?$/m.exec(file) ?? [];
      if (path === undefined) return [];
      const count = (sign: RegExp) => file.split('\n').filter((line) => sign.test(line)).length;
      return [`| ${path.replaceAll('|', '\\|')} | ${count(/^\+(?!\+\+)/)} | ${count(/^-(?!--)/)} |`];
    });
  if (files.length === 0) return 'There are none in what came with your message.';
  return [
    '| file | lines added | removed |',
    '|---|---:|---:|',
    ...files,
    '',
    'A real model would say what it thinks of them.',
  ].join('\n');
}

const DATES = [
  'Dates as `2026-11-28`, the month from 01 to 12 and the day from 01 to 31:',
  '',
  fenced('/^\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])$/', 'javascript'),
  '',
  '- `\\d{4}` is the year, `(?:0[1-9]|1[0-2])` the month, the rest the day.',
  '- It takes `2026-02-31`, which is no day: that needs a calendar.',
].join('\n');

const REBASE = [
  '| | merge | rebase |',
  '|---|---|---|',
  '| history | stays as it was, with a commit that joins both | is written anew, in one line |',
  '| conflicts | once, in that commit | in each commit that is moved |',
  '| use it | for what others have already | for your own commits, before others have them |',
].join('\n');
