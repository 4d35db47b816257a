/** Reads back what the gateway's prompt says, for the demo model only: real models read it as text. */

export interface DemoAttachment {
  /** As the prompt names it: "file src/a.ts lines 1-3". */
  label: string;
  languageId: string;
  text: string;
}

/** A fence opens with three or more backticks or tildes, maybe a language; the same run alone closes it. */
const FENCE = /^(`{3,}|~{3,})([^`\s]*)[^`]*$/;

/** The fenced block that opens at line `at`: its text, its language, and the line after it; null if there is none. */
function readFence(lines: string[], at: number): { text: string; language: string; next: number } | null {
  const [, fence, language] = FENCE.exec(lines[at] ?? '') ?? [];
  if (!fence) return null;
  const close = lines.findIndex((line, index) => index > at && line.trimEnd() === fence);
  if (close === -1) return null;
  return { text: lines.slice(at + 1, close).join('\n'), language: language ?? '', next: close + 1 };
}

/** A chat message: the user's words, then each attachment as a line `Attached <kind>: <path> lines a-b` and a block. */
export function readChatPrompt(prompt: string): { words: string; attachments: DemoAttachment[] } {
  const lines = prompt.split('\n');
  const words: string[] = [];
  const attachments: DemoAttachment[] = [];
  for (let at = 0; at < lines.length; ) {
    const [, kind, where] = /^Attached (\w+):?(.*)$/.exec(lines[at]!) ?? [];
    const block = kind ? readFence(lines, at + 1) : null;
    if (kind && block) {
      attachments.push({ label: `${kind} ${where!.trim()}`.trim(), languageId: block.language, text: block.text });
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
}

/** An edit's message: see `prompt.ts`. Null when it doesn't have that layout. */
export function readEditPrompt(prompt: string): DemoEditPrompt | null {
  const lines = prompt.split('\n');
  // An instruction may itself have lines that begin so; the real one is followed by the first section.
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
  for (let at = nextWritten(lines, head); at < lines.length; ) {
    const [, name] = SECTION.exec(lines[at]!) ?? [];
    const block = name ? readFence(lines, nextWritten(lines, at)) : null;
    if (!block) return null;
    if (name === 'Selection') return { instruction, path, languageId, selection: block.text };
    at = nextWritten(lines, block.next - 1);
  }
  return null;
}

const SECTION = /^(Lines before|Selection|Lines after):$/;

/** The first line after `index` that isn't empty. */
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
