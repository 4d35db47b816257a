import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AnswerReader } from '../../extension/edit/engine/answerReader.ts';
import type { FilePlan } from '../../extension/edit/engine/filePlanner.ts';
import { planEdits, planReplacement } from '../../extension/edit/engine/plan.ts';
import { commonIndent, readAnswer } from '../../extension/edit/stream.ts';
import {
  type Block,
  type Case,
  disturb,
  drawFrom,
  editedLines,
  hidesMistakes,
  type Noise,
  saysAnotherPlace,
  someCase,
  textOf,
  toBlocks,
  type WrittenLine,
} from './engineCases.ts';

const PATH = 'src/some file.ts'.replace(' ', '_');
const RUNS = 7_000;

/** The same cases for everybody; `EDIT_SEED` looks at others. */
const seed = Number(process.env.EDIT_SEED ?? 20_260_101);

type Draw = ReturnType<typeof drawFrom>;
type Verdict = 'right' | 'refused' | 'another place' | 'wrong';

const NOISES: Noise[] = ['shift', 'restyle', 'trailing', 'typography', 'plain', 'typo', 'ellipsis'];

/** What a model makes of the blocks; the names of its mistakes. */
function makeNoise(draw: Draw, blocks: Block[], one: Case): string[] {
  const made: string[] = [];
  if (draw(4) === 0) return made;
  for (let count = 1 + draw(2); count > 0; count--) {
    const noise = NOISES[draw(NOISES.length)]!;
    // One would take back what the other did.
    const opposite = { plain: 'typography', typography: 'plain' }[noise as string];
    if (made.includes(noise) || (opposite && made.includes(opposite))) continue;
    const some = blocks.filter((block) => draw(2) === 0 && disturb(draw, block, noise, one));
    if (some.length > 0) made.push(noise);
  }
  return made;
}

const side = (block: Block, op: 'old' | 'new') =>
  block.lines.filter((line) => line.op === 'keep' || line.op === op).map(({ text }) => text);

/** Everything on one line, as from a model that writes JSON in its head. */
const escaped = (lines: readonly string[]) =>
  lines.length === 0 ? [] : [lines.map((line) => line.replace(/^\t+/, (t) => '\\t'.repeat(t.length))).join('\\n')];

function shuffled<T>(draw: Draw, items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = draw(i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

function writeSearchReplace(draw: Draw, blocks: readonly Block[], made: string[]): string[] {
  const marks = [
    ['<<<<<<< SEARCH', '>>>>>>> REPLACE'],
    ['------- SEARCH', '+++++++ REPLACE'],
  ][draw(2)]!;
  const order = draw(3) === 0 ? shuffled(draw, blocks) : blocks;
  return order.flatMap((block, index) => {
    let search = side(block, 'old');
    let replace = side(block, 'new');
    // An escape of its own in the text, escaped no further, has more than one reading.
    if (draw(12) === 0 && search.length > 1) {
      made.push('escapes');
      search = escaped(search);
      replace = escaped(replace);
    }
    const path = index > 0 && draw(2) === 0 ? [] : [draw(2) === 0 ? PATH : `**${PATH}**:`];
    const body = [marks[0]!, ...search, '=======', ...replace, marks[1]!];
    return draw(2) === 0
      ? ['Here it is:', '', ...path, '```ts', ...body, '```', '']
      : ['```ts', ...path, ...body, '```'];
  });
}

function writePatch(draw: Draw, blocks: readonly Block[], { file }: Case, made: string[]): string[] {
  const order = draw(4) === 0 ? shuffled(draw, blocks) : blocks;
  const unmarked = draw(3);
  if (unmarked > 0) made.push('no mark');
  const parts = order.flatMap((block) => {
    const body = block.lines.map(({ op, text }) => {
      if (op === 'new') return `+${text}`;
      if (op === 'old') return `-${text}`;
      return unmarked === 1 || (unmarked === 2 && draw(2) === 0) ? text : ` ${text}`;
    });
    const heads: (() => string)[] = [
      () => '@@',
      () => {
        made.push('numbers');
        return `@@ -${1 + draw(40)},${draw(9)} +${1 + draw(40)},${draw(9)} @@`;
      },
      () => {
        const level = indentLength(file.lines[block.start] ?? '');
        const above = file.lines
          .slice(0, block.start)
          .findLast((line) => line.trim() !== '' && indentLength(line) < level);
        return above === undefined ? '@@' : `@@ ${above.trim()}`;
      },
      () => '@@ class Invented {',
    ];
    const head = heads[draw(heads.length)]!();
    return [head, ...body, ...(draw(3) === 0 ? [''] : [])];
  });
  return ['*** Begin Patch', `*** Update File: ${PATH}`, ...parts, '*** End Patch'];
}

const indentLength = (line: string) => /^[ \t]*/.exec(line)![0].length;

function resultOf(answer: readonly string[], draw: Draw, before: string): FilePlan {
  const text = answer.join(draw(5) === 0 ? '\r\n' : '\n') + (draw(2) === 0 ? '\n' : '');
  const reader = new AnswerReader();
  const cut = draw(text.length + 1);
  const edits = [...reader.feed(text.slice(0, cut)), ...reader.feed(text.slice(cut)), ...reader.end()];
  const plans = planEdits(edits, (path) => (path === PATH ? before : undefined));
  return plans.find((plan) => plan.path === PATH || plan.kind === 'refused') ?? assert.fail('no plan');
}

interface Tally {
  verdicts: Record<Verdict, number>;
  byNoise: Map<string, Record<Verdict, number>>;
  reasons: Map<string, number>;
}

const none = (): Record<Verdict, number> => ({ right: 0, refused: 0, 'another place': 0, wrong: 0 });

function count(tally: Tally, made: readonly string[], verdict: Verdict, plan: FilePlan): void {
  tally.verdicts[verdict]++;
  for (const noise of made.length === 0 ? ['none'] : new Set(made)) {
    const counts = tally.byNoise.get(noise) ?? none();
    counts[verdict]++;
    tally.byNoise.set(noise, counts);
  }
  if (plan.kind !== 'refused') return;
  for (const { reason } of plan.refusals) tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
}

function print(name: string, tally: Tally): void {
  const total = Object.values(tally.verdicts).reduce((a, b) => a + b, 0);
  const share = (counts: Record<Verdict, number>) => {
    const all = Object.values(counts).reduce((a, b) => a + b, 0);
    const part = (verdict: Verdict) => `${verdict} ${((100 * counts[verdict]) / all).toFixed(1)} %`;
    return (['right', 'refused', 'another place'] as const).map(part).join(', ');
  };
  console.log(`      ${name}: ${total} cases; ${share(tally.verdicts)}, wrong ${tally.verdicts.wrong}`);
  for (const [noise, counts] of [...tally.byNoise].sort()) console.log(`        ${noise.padEnd(11)} ${share(counts)}`);
  const reasons = [...tally.reasons].sort((a, b) => b[1] - a[1]).map(([reason, times]) => `${reason} ${times}`);
  if (reasons.length > 0) console.log(`        refused as: ${reasons.join(', ')}`);
}

/** Runs one format; `judge` gives the plan, its mistakes, and the blocks whose place may have changed with them. */
function check(
  name: string,
  mostEdits: number,
  write: (
    draw: Draw,
    one: Case,
  ) => { plan: FilePlan; made: string[]; expected: string; misled: boolean; answer: string },
): void {
  const tally: Tally = { verdicts: none(), byNoise: new Map(), reasons: new Map() };
  fc.assert(
    fc.property(fc.gen(), (gen) => {
      const draw = drawFrom(gen, fc.nat);
      const one = someCase(draw, mostEdits);
      const before = textOf(one.file);
      const { plan, made, expected, misled, answer } = write(draw, one);
      if (expected === before || plan === nothing) return;
      const isRight = plan.kind === 'update' && plan.after === expected;
      const verdict: Verdict = isRight
        ? 'right'
        : plan.kind === 'refused'
          ? 'refused'
          : misled
            ? 'another place'
            : 'wrong';
      count(tally, made, verdict, plan);
      if (verdict !== 'wrong') return;
      const after = plan.kind === 'update' ? plan.after : plan.kind;
      assert.fail(
        [
          `noise: ${made.join()}`,
          'before',
          show(before),
          'answer',
          show(answer),
          'true',
          show(expected),
          'written',
          show(after),
        ].join('\n'),
      );
    }),
    { numRuns: RUNS, seed, interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true },
  );
  print(name, tally);
}

const show = (text: string) =>
  text
    .replaceAll('\t', '→')
    .replaceAll('\r', '␍')
    .replace(/ +$/gm, (b) => '·'.repeat(b.length));

describe('what the edit engine writes is what was meant, or nothing', function () {
  this.timeout(120_000);

  it('of search/replace blocks', () =>
    check('search/replace', 3, (draw, one) => {
      const blocks = toBlocks(draw, one);
      const made = makeNoise(draw, blocks, one);
      const misled = blocks.some((block) => saysAnotherPlace(block, one.file, (line) => [line.text]));
      const answer = writeSearchReplace(draw, blocks, made);
      const expected = textOf(one.file, editedLines(one.file, one.edits));
      const plan =
        one.edits.length === 0 || blocks.some(hidesMistakes) ? nothing : resultOf(answer, draw, textOf(one.file));
      return { plan, made, expected, misled, answer: answer.join('\n') };
    }));

  it('of V4A patches', () =>
    check('V4A', 3, (draw, one) => {
      const blocks = toBlocks(draw, one);
      const made = makeNoise(draw, blocks, one);
      // A leading blank is the mark or the line's own, whether the mark is there or not.
      const readings = ({ op, text }: WrittenLine) =>
        op === 'keep' ? [text, ` ${text}`, ...(text.startsWith(' ') ? [text.slice(1)] : [])] : [text];
      const misled = blocks.some((block) => saysAnotherPlace(block, one.file, readings));
      const answer = writePatch(draw, blocks, one, made);
      const expected = textOf(one.file, editedLines(one.file, one.edits));
      const plan =
        one.edits.length === 0 || blocks.some(hidesMistakes) ? nothing : resultOf(answer, draw, textOf(one.file));
      return { plan, made, expected, misled, answer: answer.join('\n') };
    }));

  it('of fenced whole files', () =>
    check('whole file', 3, (draw, one) => {
      const after = editedLines(one.file, one.edits);
      const expected = textOf(one.file, after);
      const made: string[] = [];
      const written = [...after];
      if (draw(5) === 0 && written.length > 2) {
        made.push('ellipsis');
        written.splice(draw(written.length - 1), 2, ['// ... existing code ...', '// ...', '# …'][draw(3)]!);
      }
      const fence = draw(2) === 0 ? [`\`\`\`ts ${PATH}`] : [`**${PATH}**`, '', '```ts'];
      const answer = ['The whole file:', '', ...fence, ...written, '```', '', 'Done.'];
      return {
        plan: resultOf(answer, draw, textOf(one.file)),
        made,
        expected,
        misled: false,
        answer: answer.join('\n'),
      };
    }));

  it('of plain replacements of a selection', () =>
    check('replacement', 1, (draw, one) => {
      const [edit] = one.edits;
      const made: string[] = [];
      if (!edit || edit.end === edit.start || edit.fresh.length === 0) {
        return { plan: nothing, made, expected: textOf(one.file), misled: false, answer: '' };
      }
      const selection = one.file.lines.slice(edit.start, edit.end);
      const inner = commonIndent(selection);
      // What replaces a piece of a block stays inside that block.
      const least = commonIndent(edit.fresh);
      if (!least.startsWith(inner)) {
        const missing = inner.slice(least.length);
        edit.fresh = edit.fresh.map((line) => (line === '' ? line : missing + line));
      }
      const atMargin = inner !== '' && commonIndent(edit.fresh) === inner && draw(2) === 0;
      if (atMargin) made.push('at margin');
      const cut = atMargin ? inner.length : 0;
      const written = edit.fresh.map((line) => (line === '' ? line : line.slice(cut)));
      const answer = ['```ts', ...written, '```'];
      const expected = textOf(one.file, editedLines(one.file, one.edits));
      const read = readAnswer(answer.join(draw(3) === 0 ? '\r\n' : '\n'), true, {
        selection: written,
        languageId: 'typescript',
      });
      const lines = read.kind === 'lines' ? read.lines : [];
      const plan = planReplacement(PATH, textOf(one.file), edit, lines);
      return { plan, made, expected, misled: false, answer: answer.join('\n') };
    }));
});

const nothing: FilePlan = { kind: 'refused', path: PATH, refusals: [], placed: [] };
