import assert from 'node:assert/strict';
import fc from 'fast-check';
import { planSnippet } from '../../../extension/edit/engine/snippets/snippet.ts';
import { drawFrom } from './engineCases.ts';
import { changedRange, isBlank, itemAround, type Row, type SnippetCase, someSnippetCase } from './snippetCases.ts';

const seed = Number(process.env.EDIT_SEED ?? 20_260_101);
const RUNS = 12_000;

type Draw = (n: number) => number;

const FORMS = [
  'whole file',
  'function',
  'class',
  'lines',
  'parts of a file',
  'parts of a class',
  'only what is new',
] as const;
type Form = (typeof FORMS)[number];

/** The rows that are shown, with marks for those left out; undefined where the form doesn't fit the case. */
function show(draw: Draw, one: SnippetCase, form: Form): Row[] | undefined {
  const { after } = one;
  const changed = changedRange(one);
  const all = { start: 0, end: after.length };
  const slice = (range: { start: number; end: number } | undefined) => range && after.slice(range.start, range.end);
  if (form === 'whole file') return after;
  if (form === 'function') return slice(itemAround(one, ['function', 'method']));
  if (form === 'class') return slice(itemAround(one, ['class']));
  if (form === 'only what is new') return one.done === 'more' ? after.filter(({ at }) => at === undefined) : undefined;
  if (form === 'lines') {
    let start = changed.start - 1 - draw(4);
    let end = changed.end + 1 + draw(4);
    // The lines around are of use only if they say something.
    while (start >= 0 && after.slice(start, changed.start).every(({ text }) => isBlank(text))) start--;
    while (end <= after.length && after.slice(changed.end, end).every(({ text }) => isBlank(text))) end++;
    return start < 0 || end > after.length ? undefined : after.slice(start, end);
  }
  const range = form === 'parts of a file' ? all : itemAround(one, ['class']);
  return range && leaveOut(draw, one, range, changed);
}

/** Leaves out stretches of lines that stay, each for a mark, but for some lines beside the change and the range's edges. */
function leaveOut(
  draw: Draw,
  { after, unit, isPython }: SnippetCase,
  range: { start: number; end: number },
  changed: { start: number; end: number },
): Row[] {
  const marks = ['... existing code ...', '...', '... rest of the code ...', '... (unchanged)'];
  const comment = isPython ? '#' : '//';
  const indentOf = (text: string) => /^\s*/.exec(text)![0];
  const mark = (near: string): Row => ({
    text: `${indentOf(near) || (draw(2) === 0 ? unit : '')}${comment} ${marks[draw(marks.length)]}`,
  });
  const stretches = [
    { start: range.start + draw(4), end: changed.start - 1 - draw(4) },
    { start: changed.end + 1 + draw(4), end: range.end - draw(3) },
  ];
  const rows: Row[] = [];
  let at = range.start;
  for (const stretch of stretches) {
    const { start, end } = wholeStatements(after, stretch);
    if (end - start < 3) continue;
    rows.push(...after.slice(at, start), mark(after[start]!.text));
    at = end;
  }
  return [...rows, ...after.slice(at, range.end)];
}

/** The part of the range that holds no half of a block. */
function wholeStatements(rows: readonly Row[], { start, end }: { start: number; end: number }) {
  const depth = (at: number) =>
    isBlank(rows[at]!.text) ? Number.POSITIVE_INFINITY : /^\s*/.exec(rows[at]!.text)![0].length;
  const isCloser = (at: number) => rows[at]!.text.trim() === '}';
  let from = Math.max(0, start);
  while (from < end && (isBlank(rows[from]!.text) || isCloser(from))) from++;
  if (from >= end) return { start: from, end: from };
  let to = from;
  while (to < end && depth(to) >= depth(from)) to++;
  // Back to where the next line belongs to nothing that is left out.
  while (to > from && to < rows.length && (depth(to) > depth(from) || (depth(to) === depth(from) && isCloser(to))))
    to--;
  return { start: from, end: to };
}

const NOISES = ['none', 'at margin', 'tabs', 'trailing blanks', 'named', 'left out silently'] as const;
type Noise = (typeof NOISES)[number];

/** False when the noise finds nothing to take hold of. */
function disturb(draw: Draw, rows: Row[], noise: Noise, one: SnippetCase): boolean {
  const filled = rows.filter(({ text }) => !isBlank(text));
  const indentOf = (text: string) => /^\s*/.exec(text)![0];
  if (noise === 'at margin') {
    const common = Math.min(...filled.map(({ text }) => indentOf(text).length));
    for (const row of rows) row.text = row.text.slice(Math.min(common, indentOf(row.text).length));
    return common > 0;
  }
  if (noise === 'tabs') {
    const other = one.unit === '\t' ? '    ' : '\t';
    for (const row of rows) {
      const indent = indentOf(row.text);
      row.text = other.repeat(indent.length / one.unit.length) + row.text.slice(indent.length);
    }
    return filled.some(({ text }) => indentOf(text) !== '');
  }
  if (noise === 'trailing blanks') {
    for (const row of rows) if (row.at !== undefined && draw(3) === 0) row.text += '  ';
    return true;
  }
  if (noise === 'named') {
    rows.unshift({ text: `${one.isPython ? '#' : '//'} src/a.${one.isPython ? 'py' : 'ts'}` });
    return true;
  }
  if (noise === 'left out silently') {
    // Four lines or more that stay, or whole methods, are not shown, and nothing says so.
    const from = 1 + draw(Math.max(1, rows.length - 6));
    let stop = from;
    while (stop < rows.length - 1 && rows[stop]!.at !== undefined && stop - from < 20) stop++;
    const { start, end } = wholeStatements(rows, { start: from, end: stop });
    if (rows.slice(start, end).filter(({ text }) => /\w/.test(text)).length < 4) return false;
    rows.splice(start, end - start);
    return true;
  }
  return true;
}

/** Whether a new line says what a line says that stays, but isn't shown: then it may be taken for that one. */
function saysWhatIsHidden(rows: readonly Row[], { after }: SnippetCase): boolean {
  const shown = new Set(rows.map(({ at }) => at));
  const hidden = new Set(after.filter(({ at }) => at !== undefined && !shown.has(at)).map(({ text }) => text.trim()));
  return rows.some(({ at, text }) => at === undefined && /\w/.test(text) && hidden.has(text.trim()));
}

/** Whether the new declaration alone was added, behind another one of its kind, with blank lines around it. */
function isAddedElsewhere({ file, items }: SnippetCase, rows: readonly Row[], after: string): boolean {
  const made = after.split('\n').slice(0, -1);
  const count = made.length - file.length;
  const isName = /^(?:\/\/|#) src\//.test(rows[0]!.text);
  const shown = rows
    .slice(isName ? 1 : 0)
    .map(({ text }) => text.trim())
    .join('\n')
    .trim();
  const depth = (line: string) => /^\s*/.exec(line)![0].length;
  return items.some(({ kind, start, end }) => {
    const added = made.slice(end, end + count);
    const head = added.find((line) => !isBlank(line)) ?? '';
    const isRest = [...made.slice(0, end), ...made.slice(end + count)].every((line, at) => line === file[at]);
    const isBeside = (kind === 'function' || kind === 'method') && depth(head) === depth(file[start]!);
    return (
      isRest &&
      isBeside &&
      added
        .map((line) => line.trim())
        .join('\n')
        .trim() === shown
    );
  });
}

type Verdict = 'right' | 'refused' | 'wrong';

describe('a piece of code without marks becomes what was meant, or nothing', function () {
  this.timeout(900_000);

  it('in whatever form it is shown', () => {
    const tally = new Map<string, Record<Verdict, number>>();
    let leftOut = 0;
    let isAsFile = 0;
    const reasons = new Map<string, number>();
    const count = (name: string, verdict: Verdict) => {
      const counts = tally.get(name) ?? { right: 0, refused: 0, wrong: 0 };
      counts[verdict]++;
      tally.set(name, counts);
    };
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        const draw = drawFrom(gen, fc.nat);
        const one = someSnippetCase(draw);
        const form = FORMS[draw(FORMS.length)]!;
        const rows = show(draw, one, form)?.map((row) => ({ ...row }));
        const noise = NOISES[draw(3) === 0 ? draw(NOISES.length) : 0]!;
        const expected = one.after.map(({ text }) => `${text}\n`).join('');
        const before = one.file.map((text) => `${text}\n`).join('');
        if (!rows || expected === before || !disturb(draw, rows, noise, one)) return;
        const lines = rows.map(({ text }) => text);
        const plan = planSnippet('a', before, lines);
        const isRight =
          plan.kind === 'update' &&
          (plan.after === expected || (form === 'only what is new' && isAddedElsewhere(one, rows, plan.after)));
        const verdict = isRight ? 'right' : plan.kind === 'refused' ? 'refused' : 'wrong';
        // What begins and ends as the file does, without a mark, is the file: lines that it doesn't have are to go.
        const isFile = rows[0]!.at === 0 && rows.at(-1)!.at === one.file.length - 1;
        // A function of which not one line stays is written anew.
        const isAnew =
          form === 'function' && rows.slice(1, -1).every(({ at, text }) => at === undefined || isBlank(text));
        if (verdict === 'wrong' && noise === 'left out silently' && (isFile || isAnew)) {
          isAsFile++;
          return;
        }
        if (verdict === 'wrong' && saysWhatIsHidden(rows, one)) {
          leftOut++;
          return;
        }
        count('all', verdict);
        if (noise === 'none') count(`form: ${form}`, verdict);
        else count(`noise: ${noise}`, verdict);
        if (noise === 'none') count(`edit: ${one.done}`, verdict);
        if (plan.kind === 'refused')
          for (const { reason } of plan.refusals) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        if (verdict !== 'wrong') return;
        const after = plan.kind === 'update' ? plan.after : plan.kind;
        assert.fail(
          [
            `${form}, ${one.done}, ${noise}`,
            'BEFORE',
            before,
            'SNIPPET',
            ...lines,
            'TRUE',
            expected,
            'WRITTEN',
            after,
          ].join('\n'),
        );
      }),
      { numRuns: RUNS, seed, endOnFailure: true, interruptAfterTimeLimit: 600_000, markInterruptAsFailure: true },
    );
    for (const [name, { right, refused, wrong }] of [...tally].sort()) {
      const all = right + refused + wrong;
      const share = (part: number) => `${((100 * part) / all).toFixed(1)} %`;
      console.log(
        `      ${name.padEnd(28)} ${all} cases; right ${share(right)}, refused ${share(refused)}, wrong ${wrong}`,
      );
    }
    const { right, refused } = tally.get('all')!;
    assert.ok(right + refused > 7_000 && right > 0.7 * (right + refused), JSON.stringify(tally.get('all')));
    console.log(`      left out, since what is new says what stands in lines that are not shown: ${leftOut}`);
    assert.ok(leftOut < 10);
    console.log(`      shown as the whole file, of which lines are to go: ${isAsFile}`);
    assert.ok(isAsFile < 20);
    console.log(`      refused as: ${[...reasons].map(([reason, times]) => `${reason} ${times}`).join(', ')}`);
  });
});
