import { AnswerReader } from '../../extension/edit/engine/answerReader.ts';
import type { Edit } from '../../extension/edit/engine/edits.ts';
import type { FilePlan } from '../../extension/edit/engine/filePlanner.ts';
import { planFile } from '../../extension/edit/engine/plan.ts';
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
  ];
}

export const engine: Measure = {
  name: 'engine',
  about: 'placing the blocks of an answer in a large file',
  run: async () => measureEngine(),
};
