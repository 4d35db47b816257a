import type { PromptMessage } from '../../stream.ts';
import type { DemoAnswer } from './demoAnswer.ts';
import {
  type Block,
  blocksOf,
  renderBlocks,
  renderDeletion,
  renderMove,
  renderNewFile,
  renderWholeFile,
} from './demoBlocks.ts';
import { applyRule, EDIT_RULES, unquote, withRules } from './demoEdit.ts';
import { type DemoFile, type DemoFilesPrompt, readFilesPrompt, readRepairPrompt } from './demoPrompt.ts';
import { moreTests, testFile, testPlace } from './demoTexts.ts';

/** Rules for files, besides those for lines. Semicolons separate several instructions. */
export const FILE_RULES = [
  { example: 'new file notes.md', does: 'makes a file' },
  { example: 'delete src/old.ts', does: 'deletes a file' },
  { example: 'move a.ts to b.ts', does: 'moves a file' },
  {
    example: 'miss',
    does: 'a block that does not fit, to see it repaired; `miss: ` before another rule does that one',
  },
  { example: 'cut short', does: 'an answer that ends at its length limit, before all changes came' },
  { example: 'miss twice', does: 'one that its repair does not mend: refused in the end, and not charged' },
];

/** The changes to the files: the new lines of existing ones, and everything else. */
interface Changes {
  lines: Map<string, string[]>;
  created: { path: string; languageId: string; lines: string[] }[];
  moved: { path: string; to: string }[];
  deleted: string[];
}

/** The demo model's answer to an edit of files, or to the repair that ends `messages`. */
export function answerFiles(messages: readonly PromptMessage[]): DemoAnswer {
  const [, asked, , repair] = messages;
  const prompt = readFilesPrompt(asked?.text ?? '');
  if (!prompt) return { text: 'The demo model could not read this request.' };
  const { how, instruction } = readManner(prompt.instruction);
  const changes = changesOf({ ...prompt, instruction });
  if (repair) return { text: repaired(prompt, changes, how, readRepairPrompt(repair.text)) };
  const text = render(prompt, changes, /^miss/.test(how));
  const half = text.slice(0, Math.ceil(text.length / 2));
  if (how === 'cut short') return { text: half, cutShort: true };
  if (how === 'fail') return { text: half, fails: true };
  return { text, slower: how === 'slow' ? 8 : 1 };
}

/** A change to files, in the form that a chat answer shows. */
export function changeFiles(instruction: string, files: DemoFile[]): string {
  const { how, instruction: what } = readManner(instruction);
  const changes = changesOf({ instruction: what, files, paths: [] });
  return render({ instruction, files, paths: [] }, changes, /^miss/.test(how));
}

/**
 * `slow`, `fail`, `cut short`, `miss` and `miss twice` say how to answer. The rest is the instruction; without one, the
 * edit adds a comment.
 */
function readManner(instruction: string): { how: string; instruction: string } {
  const [, how = '', what = ''] =
    /^(slow\b|fail\b|cut short\b|miss twice\b|miss\b)?[\s:,]*(.*)$/is.exec(instruction) ?? [];
  return { how: how.toLowerCase(), instruction: what || 'add comment "checked by the demo model"' };
}

function changesOf(prompt: DemoFilesPrompt): Changes {
  const changes: Changes = { lines: new Map(), created: [], moved: [], deleted: [] };
  const { instruction, files } = prompt;
  const tests = /^write tests\b/i.test(instruction);
  if (tests) writeTests(prompt, changes);
  else {
    const parts = instruction.split(/;\s+/).filter((part) => part !== '');
    // If a part matches no rule, the instruction is prose and not a list of rules.
    const known = parts.every((part) => applyPart(part, prompt, changes, true));
    if (known) for (const part of parts) applyPart(part, prompt, changes, false);
    else if (!applyPart(instruction, prompt, changes, false)) {
      const [first] = files;
      const more = FILE_RULES.map(({ example }) => example);
      if (first) changes.lines.set(first.path, withRules(linesOf(first), first.languageId, more));
    }
  }
  return changes;
}

/** Applies one instruction. With `dry` it only tells whether some rule matches. */
function applyPart(part: string, { files, paths }: DemoFilesPrompt, changes: Changes, dry: boolean): boolean {
  const isFile = (name: string) => files.some((f) => f.path === name) || paths.includes(name) || /\S\.\w+$/.test(name);
  const [, created, words] = /^(?:(?:add|make|create) )?(?:an? )?new file ("[^"]+"|[^\s:]+):?(.*)$/is.exec(part) ?? [];
  const [, moved, to] = /^(?:move|rename) ("[^"]+"|\S+) to ("[^"]+"|\S+)$/i.exec(part) ?? [];
  const [, deleted] = /^(?:delete|remove) (?:the )?(?:file )?("[^"]+"|\S+)$/i.exec(part) ?? [];
  if (created !== undefined) {
    if (dry) return true;
    const path = unquote(created);
    const lines = words!.trim()
      ? words!.trim().split('\n')
      : [`# ${path.split('/').at(-1)}`, '', 'A new file, by the demo model.'];
    changes.created.push({ path, languageId: '', lines });
    return true;
  }
  if (moved !== undefined && isFile(unquote(moved)) && isFile(unquote(to!))) {
    if (!dry) changes.moved.push({ path: unquote(moved), to: unquote(to!) });
    return true;
  }
  if (deleted !== undefined && isFile(unquote(deleted))) {
    if (!dry) changes.deleted.push(unquote(deleted));
    return true;
  }
  if (dry) return EDIT_RULES.some(({ pattern }) => pattern.test(part));
  let fits = false;
  for (const file of files) {
    const lines = applyRule(changes.lines.get(file.path) ?? linesOf(file), part, file.languageId, 1);
    if (lines) changes.lines.set(file.path, lines);
    fits ||= lines !== null;
  }
  return fits;
}

function writeTests({ instruction, files }: DemoFilesPrompt, changes: Changes): void {
  const named = /^write tests for (?:.* of )?(.+?)\.?$/im.exec(instruction)?.[1];
  const path = files.find((file) => file.path === named)?.path ?? files[0]?.path ?? 'main.ts';
  const existing = /^add them to (.+), in its style/im.exec(instruction)?.[1];
  const tests = files.find((file) => file.path === existing);
  if (tests) changes.lines.set(tests.path, moreTests(linesOf(tests), path, tests.languageId));
  else {
    const place = /^put them into the new file (.+?)\.?$/im.exec(instruction)?.[1] ?? testPlace(path);
    const { languageId = '' } = files.find((file) => file.path === path) ?? {};
    changes.created.push({ path: place, languageId, lines: testFile(place, path) });
  }
}

/** Splits into lines without their line ends; the last line's own is dropped too. */
const linesOf = ({ text }: DemoFile) => text.replace(/\r$/, '').split(/\r\n|\r|\n/);

function render({ files }: DemoFilesPrompt, { lines, created, moved, deleted }: Changes, misses: boolean): string {
  const parts: string[] = [];
  for (const file of files) {
    const after = lines.get(file.path);
    if (!after || deleted.includes(file.path)) continue;
    const before = linesOf(file);
    if (after.join('\n') === before.join('\n')) continue;
    const blocks = blocksOf(before, after);
    if (!blocks) parts.push(renderWholeFile(file.path, file.languageId, after));
    else if (blocks.length > 0) {
      const [first, ...others] = blocks;
      parts.push(renderBlocks(file.path, file.languageId, [misses ? stutter(first!) : first!, ...others], file.text));
    }
  }
  for (const file of created) parts.push(renderNewFile(file.path, file.languageId, file.lines));
  for (const { path, to } of moved) parts.push(renderMove(path, to));
  for (const path of deleted) parts.push(renderDeletion(path));
  return parts.length > 0 ? parts.join('\n\n') : 'The demo model finds nothing to change here.';
}

/** Makes a block fail: its search lines resemble the file's, but each one repeats its end. */
const stutter = ({ search, replace }: Block): Block => ({
  search: search.map((line) => line + line.trim().slice(0, Math.ceil(line.trim().length / 3))),
  replace,
});

/** The first block of each file was wrong on purpose. Corrects it, unless it must be wrong twice. */
function repaired(
  { files }: DemoFilesPrompt,
  { lines }: Changes,
  how: string,
  refused: { path: string; lookedFor: string }[],
): string {
  const parts = files.flatMap((file) => {
    const after = lines.get(file.path);
    const blocks = (after && blocksOf(linesOf(file), after)) ?? [];
    const looked = refused.filter(({ path }) => path === file.path).map(({ lookedFor }) => lookedFor);
    // The repair prompt identifies a block by the start of its search text.
    const isLookedFor = ({ search }: Block) =>
      looked.some((told) => told !== '' && `${search.join('\n')}\n`.startsWith(`${told}\n`));
    const wanted = blocks.filter((block) => isLookedFor(block) || isLookedFor(stutter(block)));
    const given = how === 'miss twice' ? wanted.map(stutter) : wanted;
    return given.length > 0 ? [renderBlocks(file.path, file.languageId, given, file.text)] : [];
  });
  return parts.length > 0 ? parts.join('\n\n') : 'The demo model knows no better block.';
}
