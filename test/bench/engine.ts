import type { Edit, FilePlan } from '../../extension/edit/engine/edits.ts';
import { rebaseHunks } from '../../extension/edit/engine/placing/rebase.ts';
import { planFile } from '../../extension/edit/engine/planning/plan.ts';
import { AnswerPlanner } from '../../extension/edit/engine/planning/planner.ts';
import { AnswerReader } from '../../extension/edit/engine/reading/answerReader.ts';
import { planSnippet } from '../../extension/edit/engine/snippets/snippet.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';

const PATH = 'src/large.ts';
const BLOCKS = 50;
const ROUNDS = 15;

const WORDS = (
  'order invoice basket customer shipment refund voucher catalogue warehouse supplier session ticket journal ' +
  'receipt channel message forecast passenger territory schedule inventory discount currency balance'
).split(' ');

/** A file of functions of one shape, whose names and texts differ as those of real ones do. */
function largeFile(length: number): string[] {
  const lines: string[] = [];
  let seed = 1;
  const word = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return WORDS[seed % WORDS.length]!;
  };
  for (let index = 0; lines.length < length; index++) {
    const name = `${word()}_${word()}_${index}`;
    lines.push(
      `export function ${name}(request: Request, user: User): Answer {`,
      `  const total = request.${word()}.${word()}s.length;`,
      `  if (total > ${index % 97}) {`,
      `    log.info("handling ${word()} of ${word()}", { ${word()}: total, user: user.${word()} });`,
      `    return { kind: "ok", total, ${word()}: user.${word()} };`,
      '  }',
      '',
      '  return { kind: "none" };',
      '}',
      '',
    );
  }
  return lines.slice(0, length);
}

/** How the model writes each block down: as the file has it, or with a mistake that one more step of the search finds. */
type Kind = 'exact' | 'noisy' | 'similar' | 'missing';

/** `BLOCKS` blocks spread over the file, each changing one line of a function that it names in full. */
function answer(lines: readonly string[], kindOf: (block: number) => Kind): string {
  const functions = Math.floor(lines.length / 10);
  const parts: string[] = [PATH];
  for (let block = 0; block < BLOCKS; block++) {
    const start = Math.floor((block * functions) / BLOCKS) * 10;
    const kind = kindOf(block);
    const search = lines.slice(start, start + 8).map((line, index) => {
      if (kind === 'noisy') return line === '' ? line : `    ${line.replace(/"/g, '”')}  `;
      if (kind === 'similar' && index === 3) return line.replace('handling', 'handlinq');
      if (kind === 'missing') return line.replace(/total|request/g, 'amount');
      return line;
    });
    const replace = search.map((line) =>
      line.replace('kind: "none"', 'kind: "empty"').replace('kind: ”none”', 'kind: ”empty”'),
    );
    parts.push('<<<<<<< SEARCH', ...search, '=======', ...replace, '>>>>>>> REPLACE', '');
  }
  return parts.join('\n');
}

function plan(text: string, edits: readonly Edit[]): { plan: FilePlan; ms: number } {
  const began = performance.now();
  const made = planFile(PATH, text, edits);
  return { plan: made, ms: performance.now() - began };
}

interface Engine {
  ms: number[];
  applied: number;
  refused: number;
}

function measure(lines: readonly string[], kindOf: (block: number) => Kind): Engine {
  const text = `${lines.join('\n')}\n`;
  const reader = new AnswerReader();
  const edits = [...reader.feed(answer(lines, kindOf)), ...reader.end()];
  const runs = Array.from({ length: ROUNDS }, () => plan(text, edits));
  const last = runs.at(-1)!.plan;
  const refused = last.kind === 'refused' ? last.refusals.length : 0;
  // Blocks of a refused file are all withheld; those that found their place are the others.
  return { ms: runs.map(({ ms }) => ms), applied: edits.length - refused, refused };
}

/** How long each call took while the answer to a file of 2,000 lines came, 40 characters at a time, after a first answer. */
function measurePlanner(kindOf: (block: number) => Kind): { ms: number[]; hunks: number } {
  const lines = largeFile(2_000);
  const text = `${lines.join('\n')}\n`;
  const pieces = answer(lines, kindOf).match(/[\s\S]{1,40}/g)!;
  const ms: number[] = [];
  const timed = <T>(act: () => T): T => {
    const began = performance.now();
    const result = act();
    ms.push(performance.now() - began);
    return result;
  };
  let hunks = 0;
  // What runs for the first time is compiled: users feel that once.
  for (let round = 0; round < 5; round++) {
    ms.length = 0;
    const planner = new AnswerPlanner();
    for (const piece of [...pieces, '\n']) {
      const isChanged = timed(() => planner.feed(piece));
      for (const path of planner.needs) timed(() => planner.provide(path, text));
      if (isChanged) timed(() => planner.plans());
    }
    planner.end();
    const [made] = planner.plans();
    hunks = made?.kind === 'update' ? made.hunks.length : 0;
  }
  return { ms, hunks };
}

/** Moves 50 hunks of a file of 10,000 lines after 200 of its lines were changed by others. */
function measureRebase(lines: readonly string[]): { ms: number[]; moved: number } {
  const edits = new AnswerReader();
  const plan = planFile(PATH, `${lines.join('\n')}\n`, [...edits.feed(answer(lines, () => 'exact')), ...edits.end()]);
  const hunks = plan.kind === 'update' ? plan.hunks : [];
  const current = lines.flatMap((line, index) =>
    index % 100 === 35 ? [line, `  audit(${index});`] : index % 100 === 83 ? [] : [line],
  );
  let moved = 0;
  const ms = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    const rebased = rebaseHunks(lines, hunks, current);
    moved = rebased.kind === 'moved' ? rebased.hunks.length : 0;
    return performance.now() - began;
  });
  return { ms, moved };
}

/** A whole file of 10,000 lines as a piece of code without marks, one line changed. */
function measureSnippet(lines: readonly string[]): { ms: number[]; hunks: number } {
  const text = `${lines.join('\n')}\n`;
  const changed = lines.with(5_003, '    log.info("changed");');
  let hunks = 0;
  const ms = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    const made = planSnippet(PATH, text, changed);
    hunks = made.kind === 'update' ? made.hunks.length : 0;
    return performance.now() - began;
  });
  return { ms, hunks };
}

/** What is held, in MB, while a file of 100,000 lines is planned: its index and plan, beside the text and the answer. */
function measureHeap(lines: readonly string[], kindOf: (block: number) => Kind): number {
  const { gc } = globalThis as { gc?: () => void };
  const text = `${lines.join('\n')}\n`;
  const written = answer(lines, kindOf);
  const planner = new AnswerPlanner();
  const used = () => {
    gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  planner.feed(`${written}\n`);
  planner.provide(PATH, text);
  planner.plans();
  const held = used() - before;
  return planner.plans().length === 1 ? held / 2 ** 20 : Number.NaN;
}

/** Time to place `BLOCKS` blocks, from the file's text to its new text and hunks, in milliseconds. */
export function measureEngine(): Finding[] {
  const small = largeFile(10_000);
  const large = largeFile(100_000);
  const mixed = (block: number): Kind => (['exact', 'noisy', 'similar', 'exact', 'noisy'] as const)[block % 5]!;
  const told = ({ ms, applied, refused }: Engine) =>
    `${BLOCKS} blocks: ${applied} placed, ${refused} refused; rounds ${listed(ms)}`;
  const exact = measure(small, () => 'exact');
  const mixedSmall = measure(small, mixed);
  const mixedLarge = measure(large, mixed);
  const missing = measure(small, () => 'missing');
  const growth = median(mixedLarge.ms) / median(mixedSmall.ms);
  const fed = measurePlanner(mixed);
  const rebase = measureRebase(small);
  const snippet = measureSnippet(small);
  return [
    {
      id: 'engine.exact',
      what: 'edit engine: 50 exact blocks in 10,000 lines',
      value: median(exact.ms),
      unit: 'ms',
      goal: { atMost: 50 },
      note: told(exact),
    },
    {
      id: 'engine.mixed',
      what: 'edit engine: 50 blocks with mistakes in 10,000 lines',
      value: median(mixedSmall.ms),
      unit: 'ms',
      goal: { atMost: 50 },
      note: told(mixedSmall),
    },
    {
      id: 'engine.growth',
      what: 'edit engine: the same in 100,000 lines, for 10 × the file',
      value: growth,
      unit: '×',
      goal: { atMost: 15 },
      note: `${median(mixedLarge.ms).toFixed(1)} ms. ${told(mixedLarge)}`,
    },
    {
      id: 'engine.missing',
      what: 'edit engine: 50 blocks that stand nowhere in 10,000 lines',
      value: median(missing.ms),
      unit: 'ms',
      note: told(missing),
    },
    {
      id: 'engine.feed',
      what: 'edit engine: longest call while an answer for 2,000 lines comes',
      value: Math.max(...fed.ms),
      unit: 'ms',
      goal: { atMost: 5 },
      note: `${fed.ms.length} calls, ${fed.ms.reduce((a, b) => a + b, 0).toFixed(1)} ms in all; ${fed.hunks} hunks`,
    },
    {
      id: 'engine.rebase',
      what: 'edit engine: 50 hunks moved in 10,000 lines that others changed',
      value: median(rebase.ms),
      unit: 'ms',
      goal: { atMost: 100 },
      note: `200 changes of others; ${rebase.moved} moved; rounds ${listed(rebase.ms)}`,
    },
    {
      id: 'engine.snippet',
      what: 'edit engine: 10,000 lines without marks, as the whole file',
      value: median(snippet.ms),
      unit: 'ms',
      note: `${snippet.hunks} hunk; rounds ${listed(snippet.ms)}`,
    },
    {
      id: 'engine.heap',
      what: 'edit engine: held while 100,000 lines are planned',
      value: measureHeap(large, mixed),
      unit: 'MB',
      note: `the text has ${(large.join('\n').length / 2 ** 20).toFixed(1)} M characters`,
    },
  ];
}

export const engine: Measure = {
  name: 'engine',
  about: 'placing the blocks of an answer in a large file',
  run: async () => measureEngine(),
};
