import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { FilePlan } from '../../../extension/edit/engine/edits.ts';
import { planEdits, planReplacement } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';
import { commonIndent, readAnswer } from '../../../extension/edit/hunks/stream.ts';
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
  type Vocabulary,
  type WrittenLine,
} from './engineCases.ts';

const PATH = 'src/some file.ts'.replace(' ', '_');
const RUNS = 7_000;

/** The same cases for everybody; `EDIT_SEED` looks at others. */
const seed = Number(process.env.EDIT_SEED ?? 20_260_101);

type Draw = ReturnType<typeof drawFrom>;
type Verdict = 'right' | 'refused' | 'wrong';

/** What models get wrong, by the names of the table. */
const NOISES: Record<Noise, string> = {
  shift: 'indentation moved',
  restyle: 'indentation of another kind',
  trailing: 'trailing blanks',
  typography: 'quotes, dashes, dots typeset',
  plain: 'quotes, dashes, dots made plain',
  typo: 'a word misspelt',
  ellipsis: 'an ellipsis for code',
  repeat: 'a line of context twice',
};

/** What a model makes of the blocks; the names of its mistakes. */
function makeNoise(draw: Draw, blocks: Block[], one: Case): string[] {
  const made: string[] = [];
  if (draw(4) === 0) return made;
  for (let count = 1 + draw(2); count > 0; count--) {
    const noise = (Object.keys(NOISES) as Noise[])[draw(8)]!;
    // One would take back what the other did.
    const opposite = { plain: 'typography', typography: 'plain' }[noise as string];
    if (made.includes(NOISES[noise]) || (opposite && made.includes(NOISES[opposite as Noise]))) continue;
    const some = blocks.filter((block) => draw(2) === 0 && disturb(draw, block, noise, one));
    if (some.length > 0) made.push(NOISES[noise]);
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
      made.push('line ends and tabs escaped');
      search = escaped(search);
      replace = escaped(replace);
    }
    const path = index > 0 && draw(2) === 0 ? [] : [draw(2) === 0 ? PATH : `**${PATH}**:`];
    // As Roo writes them; the numbers are any.
    const isNumbered = draw(8) === 0;
    if (isNumbered) made.push('wrong line numbers');
    const numbers = isNumbered ? [`:start_line:${1 + draw(60)}`, '-------'] : [];
    const body = [marks[0]!, ...numbers, ...search, '=======', ...replace, marks[1]!];
    return draw(2) === 0
      ? ['Here it is:', '', ...path, '```ts', ...body, '```', '']
      : ['```ts', ...path, ...body, '```'];
  });
}

function writePatch(draw: Draw, blocks: readonly Block[], { file }: Case, made: string[]): string[] {
  const order = draw(4) === 0 ? shuffled(draw, blocks) : blocks;
  const unmarked = draw(3);
  if (unmarked > 0) made.push('no leading blank');
  const parts = order.flatMap((block) => {
    const body = block.lines.map(({ op, text }) => {
      if (op === 'new') return `+${text}`;
      if (op === 'old') return `-${text}`;
      return unmarked === 1 || (unmarked === 2 && draw(2) === 0) ? text : ` ${text}`;
    });
    const heads: (() => string)[] = [
      () => '@@',
      () => {
        made.push('wrong line numbers');
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

/** The plan that comes of an answer, read in two pieces. */
function resultOf(answer: readonly string[], draw: Draw, { file }: Case, made: string[]): FilePlan {
  const eol = draw(5) === 0 ? '\r\n' : '\n';
  if (eol !== file.eol) made.push('line ends');
  const text = answer.join(eol) + (draw(2) === 0 ? eol : '');
  const reader = new AnswerReader();
  const cut = draw(text.length + 1);
  const edits = [...reader.feed(text.slice(0, cut)), ...reader.feed(text.slice(cut)), ...reader.end()];
  const plans = planEdits(edits, (path) => (path === PATH ? textOf(file) : undefined));
  return plans.find((plan) => plan.path === PATH || plan.kind === 'refused') ?? assert.fail('no plan');
}

type Counts = Record<Verdict, number>;

const none = (): Counts => ({ right: 0, refused: 0, wrong: 0 });

interface Tally {
  all: Counts;
  /** Of cases with exactly one mistake, and of those without or with more. */
  byNoise: Map<string, Counts>;
  reasons: Map<string, number>;
  /** Why answers without a mistake are refused. */
  plainReasons: Map<string, number>;
  leftOut: number;
}

function count(tally: Tally, made: ReadonlySet<string>, verdict: Verdict, plan: FilePlan): void {
  const [only] = made;
  const name = made.size === 0 ? 'no mistake' : made.size > 1 ? 'several mistakes' : only!;
  const counts = tally.byNoise.get(name) ?? none();
  tally.byNoise.set(name, counts);
  tally.all[verdict]++;
  counts[verdict]++;
  if (plan.kind !== 'refused') return;
  for (const { reason } of plan.refusals) {
    for (const reasons of made.size === 0 ? [tally.reasons, tally.plainReasons] : [tally.reasons]) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  }
}

const totalOf = ({ right, refused, wrong }: Counts) => right + refused + wrong;

function print(name: string, tally: Tally): void {
  const share = (counts: Counts) => {
    const part = (verdict: Verdict) => `${verdict} ${((100 * counts[verdict]) / totalOf(counts)).toFixed(1)} %`;
    return `${part('right')}, ${part('refused')}, wrong ${counts.wrong}`;
  };
  console.log(`      ${name}: ${totalOf(tally.all)} cases; ${share(tally.all)}`);
  for (const [noise, counts] of [...tally.byNoise].sort()) {
    console.log(`        ${noise.padEnd(32)} ${String(totalOf(counts)).padStart(5)}  ${share(counts)}`);
  }
  const told = (reasons: Map<string, number>) =>
    [...reasons]
      .sort((a, b) => b[1] - a[1])
      .map(([reason, times]) => `${reason} ${times}`)
      .join(', ') || 'nothing';
  console.log(`        refused as: ${told(tally.reasons)}; without a mistake, as: ${told(tally.plainReasons)}`);
  if (tally.leftOut > 0) {
    console.log(`        left out: ${tally.leftOut}, which say another place of the file word for word`);
  }
}

/** What a format makes of a case; undefined when it has nothing to say, `misled` when it says another place. */
type Written = { plan: FilePlan; made: string[]; expected: string; answer: readonly string[] } | 'misled' | undefined;

/** Runs one format; `write` writes a case down, with mistakes. */
function check(
  name: string,
  write: (draw: Draw, one: Case) => Written,
  { mostEdits = 3, runs = RUNS, vocabulary = 'few' as Vocabulary } = {},
): Tally {
  const tally: Tally = { all: none(), byNoise: new Map(), reasons: new Map(), plainReasons: new Map(), leftOut: 0 };
  fc.assert(
    fc.property(fc.gen(), (gen) => {
      const draw = drawFrom(gen, fc.nat);
      const one = someCase(draw, mostEdits, vocabulary);
      const before = textOf(one.file);
      const written = write(draw, one);
      if (written === 'misled') tally.leftOut++;
      if (!written || written === 'misled' || written.expected === before) return;
      const { plan, made, expected, answer } = written;
      if (one.hasCopy) made.push('the place twice in the file');
      const isRight = plan.kind === 'update' && plan.after === expected;
      const verdict: Verdict = isRight ? 'right' : plan.kind === 'refused' ? 'refused' : 'wrong';
      count(tally, new Set(made), verdict, plan);
      if (verdict !== 'wrong') return;
      const after = plan.kind === 'update' ? plan.after : plan.kind;
      const parts = { before, answer: answer.join('\n'), true: expected, written: after };
      const shown = Object.entries(parts).map(([title, text]) => `${title}\n${show(text)}`);
      assert.fail([`mistakes: ${made.join()}`, ...shown].join('\n'));
    }),
    { numRuns: runs, seed, endOnFailure: true, interruptAfterTimeLimit: 600_000, markInterruptAsFailure: true },
  );
  print(name, tally);
  return tally;
}

const show = (text: string) =>
  text
    .replaceAll('\t', '→')
    .replaceAll('\r', '␍')
    .replace(/ +$/gm, (b) => '·'.repeat(b.length));

/** Blocks with mistakes, in the words of one format. `readings`: how a line that is written down can be read. */
const asBlocks =
  (
    readings: (line: WrittenLine) => string[],
    write: (draw: Draw, blocks: readonly Block[], one: Case, made: string[]) => string[],
  ) =>
  (draw: Draw, one: Case): Written => {
    const blocks = toBlocks(draw, one);
    const made = makeNoise(draw, blocks, one);
    if (one.edits.length === 0 || blocks.some(hidesMistakes)) return undefined;
    if (blocks.some((block) => saysAnotherPlace(block, one.file, readings))) return 'misled';
    const answer = write(draw, blocks, one, made);
    const expected = textOf(one.file, editedLines(one.file, one.edits));
    return { plan: resultOf(answer, draw, one, made), made, expected, answer };
  };

const searchReplace = asBlocks(
  ({ text }) => [text],
  (draw, blocks, _, made) => writeSearchReplace(draw, blocks, made),
);

/** A leading blank is the mark or the line's own, whether the mark is there or not. */
const patch = asBlocks(
  ({ op, text }) => (op === 'keep' ? [text, ` ${text}`, ...(text.startsWith(' ') ? [text.slice(1)] : [])] : [text]),
  writePatch,
);

function wholeFile(draw: Draw, one: Case): Written {
  const after = editedLines(one.file, one.edits);
  const made: string[] = [];
  const written = [...after];
  if (draw(5) === 0 && written.length > 2) {
    made.push(NOISES.ellipsis);
    written.splice(draw(written.length - 1), 2, ['// ... existing code ...', '// ...', '# …'][draw(3)]!);
  }
  const fence = draw(2) === 0 ? [`\`\`\`ts ${PATH}`] : [`**${PATH}**`, '', '```ts'];
  const answer = ['The whole file:', '', ...fence, ...written, '```', '', 'Done.'];
  return { plan: resultOf(answer, draw, one, made), made, expected: textOf(one.file, after), answer };
}

function replacement(draw: Draw, one: Case): Written {
  const [edit] = one.edits;
  const made: string[] = [];
  if (!edit || edit.end === edit.start || edit.fresh.length === 0) return undefined;
  const inner = commonIndent(one.file.lines.slice(edit.start, edit.end));
  // What replaces a piece of a block stays inside that block.
  const least = commonIndent(edit.fresh);
  if (!least.startsWith(inner)) {
    const missing = inner.slice(least.length);
    edit.fresh = edit.fresh.map((line) => (line === '' ? line : missing + line));
  }
  const atMargin = inner !== '' && commonIndent(edit.fresh) === inner && draw(2) === 0;
  if (atMargin) made.push('indentation left out');
  const cut = atMargin ? inner.length : 0;
  const written = edit.fresh.map((line) => (line === '' ? line : line.slice(cut)));
  const answer = ['```ts', ...written, '```'];
  const eol = draw(3) === 0 ? '\r\n' : '\n';
  if (eol !== one.file.eol) made.push('line ends');
  const read = readAnswer(answer.join(eol), true, { selection: written, languageId: 'typescript' });
  const plan = planReplacement(PATH, textOf(one.file), edit, read.kind === 'lines' ? read.lines : []);
  return { plan, made, expected: textOf(one.file, editedLines(one.file, one.edits)), answer };
}

describe('what the edit engine writes is what was meant, or nothing', function () {
  this.timeout(900_000);
  let counted = 0;
  const add = (tally: Tally) => {
    counted += totalOf(tally.all);
    // What is left out must be few, or the rule for it says too much.
    assert.ok(tally.leftOut < 0.01 * totalOf(tally.all), `${tally.leftOut} left out`);
  };

  it('of search/replace blocks', () => add(check('search/replace', searchReplace)));
  it('of V4A patches', () => add(check('V4A', patch)));
  it('of fenced whole files', () => add(check('whole file', wholeFile)));
  it('of plain replacements of a selection', () => add(check('replacement', replacement, { mostEdits: 1 })));

  // How much of what is refused above is refused because nearly every line stands more than once there.
  const many = { runs: 3_000, vocabulary: 'many' as const };
  it('of search/replace blocks among many different words', () => {
    const tally = check('search/replace, many words', searchReplace, many);
    add(tally);
    const plain = tally.byNoise.get('no mistake')!;
    // What is refused though it is written rightly stands at more than one place, or names blank lines alone, or is in the
    // way of another one.
    assert.ok(plain.right >= 0.94 * totalOf(plain), JSON.stringify(plain));
    for (const reason of tally.plainReasons.keys()) assert.match(reason, /^(ambiguous|notFound|overlap)$/);
  });
  it('of V4A patches among many different words', () => add(check('V4A, many words', patch, many)));

  after(() => {
    console.log(`      ${counted} cases in all, wrong 0`);
    assert.ok(counted >= 20_000);
  });
});
