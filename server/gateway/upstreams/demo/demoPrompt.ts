/** Parses the gateway's prompt, for the demo model only: real models read it as text. */

export interface DemoFile {
  path: string;
  languageId: string;
  text: string;
}

export interface DemoAttachment extends DemoFile {
  /** The label in the prompt: "file src/a.ts lines 1-3". */
  label: string;
  kind: string;
}

/** A fence is three or more backticks or tildes, perhaps with a language; the same run alone closes it. */
const FENCE = /^(`{3,}|~{3,})([^`\s]*)[^`]*$/;

/** The fenced block that opens at line `at`: its text, its language and the line after it. Null if there is none. */
function readFence(lines: string[], at: number): { text: string; language: string; next: number } | null {
  const [, fence, language] = FENCE.exec(lines[at] ?? '') ?? [];
  if (!fence) return null;
  const close = lines.findIndex((line, index) => index > at && line.trimEnd() === fence);
  if (close === -1) return null;
  return { text: lines.slice(at + 1, close).join('\n'), language: language ?? '', next: close + 1 };
}

/** The number of lines at the beginning that are instructions. They change nothing in this model's answers. */
function countInstructions(lines: string[]): number {
  let at = 0;
  while (/^Attached instructions: /.test(lines[at] ?? '')) {
    const block = readFence(lines, at + 1);
    if (!block) return at;
    at = block.next;
    if (lines[at] === '') at += 1;
  }
  return at;
}

/**
 * A chat message: instructions, the user's words, then each attachment as a line `Attached <kind>: <path> lines a-b` and
 * a block.
 */
export function readChatPrompt(prompt: string): { words: string; attachments: DemoAttachment[] } {
  const lines = prompt.split('\n');
  const words: string[] = [];
  const attachments: DemoAttachment[] = [];
  for (let at = countInstructions(lines); at < lines.length; ) {
    const [, kind, where] = /^Attached (\w+):?(.*)$/.exec(lines[at]!) ?? [];
    const block = kind ? readFence(lines, at + 1) : null;
    if (kind && block) {
      const path = where!.replace(/ lines \d+-\d+$/, '').trim();
      const label = `${kind} ${where!.trim()}`.trim();
      attachments.push({ label, kind, path, languageId: block.language, text: block.text });
      at = block.next;
    } else {
      words.push(lines[at]!);
      at += 1;
    }
  }
  return { words: words.join('\n').trim(), attachments };
}

export interface DemoEditPrompt {
  instruction: string;
  path: string;
  languageId: string;
  selection: string;
  /** The line number in the file, from 1, where the selection begins. */
  firstLine: number;
  after: string;
}

/** Parses an edit's message: see `prompt.ts`. Null if it has another layout. */
export function readEditPrompt(prompt: string): DemoEditPrompt | null {
  const all = prompt.split('\n');
  const lines = all.slice(countInstructions(all));
  // Lines of the instruction may look like the header; only the real header is followed by the first section.
  const head = lines.findIndex(
    (line, index) => /^File: /.test(line) && SECTION.test(lines[nextWritten(lines, index)] ?? ''),
  );
  const [, path, languageId] = /^File: (.*) \(([^()]*)\)$/.exec(lines[head] ?? '') ?? [];
  if (path === undefined || languageId === undefined) return null;
  const instruction = lines
    .slice(0, head)
    .join('\n')
    .replace(/^Instruction:\s*/, '')
    .trim();
  const texts: Record<string, string> = {};
  let firstLine = 1;
  for (let at = nextWritten(lines, head); at < lines.length; ) {
    const [, name, first] = SECTION.exec(lines[at]!) ?? [];
    const block = name ? readFence(lines, nextWritten(lines, at)) : null;
    if (!name || !block) break;
    texts[name] = block.text;
    if (first) firstLine = Number(first);
    at = nextWritten(lines, block.next - 1);
  }
  const { Selection: selection, 'Lines after': after = '' } = texts;
  return selection === undefined ? null : { instruction, path, languageId, selection, firstLine, after };
}

const SECTION = /^(Lines before|Selection|Lines after)(?:, lines (\d+) to \d+)?:$/;

export interface DemoFilesPrompt {
  instruction: string;
  files: DemoFile[];
  /** Other files of the workspace. */
  paths: string[];
}

/** Parses the message of an edit of files: see `editPrompt.ts`. Null if it has another layout. */
export function readFilesPrompt(prompt: string): DemoFilesPrompt | null {
  const lines = prompt.split('\n');
  const files: DemoFile[] = [];
  const paths: string[] = [];
  for (let at = countInstructions(lines); at < lines.length; ) {
    const line = lines[at]!;
    if (line.startsWith('Instruction: ')) {
      const instruction = lines.slice(at).join('\n').slice('Instruction: '.length).trim();
      return { instruction, files, paths };
    }
    const block = readFence(lines, at + 1);
    if (!block) return null;
    if (line.startsWith('File: ')) {
      files.push({ path: line.slice('File: '.length), languageId: block.language, text: block.text });
    } else paths.push(...block.text.split('\n'));
    at = block.next;
  }
  return null;
}

/** The blocks that a repair's message names, with their search text: see `editPrompt.ts`. */
export function readRepairPrompt(prompt: string): { path: string; lookedFor: string }[] {
  const lines = prompt.split('\n');
  const blocks: { path: string; lookedFor: string }[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!;
    const [, path] = /^Block \d+: (.*)$/.exec(line) ?? [];
    if (path !== undefined) blocks.push({ path, lookedFor: '' });
    const block = line.endsWith(':') ? readFence(lines, at + 1) : null;
    if (block && line === 'It looked for:') blocks.at(-1)!.lookedFor = block.text;
    at = block ? block.next : at + 1;
  }
  return blocks;
}

/** The first non-empty line after `index`. */
function nextWritten(lines: string[], index: number): number {
  const found = lines.findIndex((line, i) => i > index && line.trim() !== '');
  return found === -1 ? lines.length : found;
}

/** A fenced block, its fence longer than any run of backticks in it. */
export function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
