import assert from 'node:assert/strict';
import type { FilePlan, Reading } from '../../../extension/edit/engine/edits.ts';
import { planEdits } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';
import { planSnippet } from '../../../extension/edit/engine/snippets/snippet.ts';
import { KINDS, type Kind, type Written } from './mistakes.ts';
import { drawsOf, type RealCase, type RealFile, realFiles, someRealCase } from './realFiles.ts';

/** Cases of each kind; `npm run soak` asks for more. */
const RUNS = Number(process.env.PERIGEE_MISTAKES ?? 200);
/** The same cases for everybody; `EDIT_SEED` looks at others. */
const SEED = Number(process.env.EDIT_SEED ?? 20_260_101);
/** So many draws may make no case of a kind before the next one. */
const MOST_EMPTY = 60;

function planOf(written: Written, { file, before }: RealCase, reading?: Reading): FilePlan[] {
  if ('piece' in written) return [planSnippet(file.path, before, written.piece, undefined, reading)];
  const reader = new AnswerReader();
  const text = `${written.answer.join('\n')}\n`;
  return planEdits([...reader.feed(text), ...reader.end()], (path) => (path === file.path ? before : undefined));
}

interface Tally {
  right: number;
  refused: number;
  /** Of the refused, those that the user's answer makes right, those that it makes otherwise, and those that don't ask. */
  answered: number;
  otherwise: number;
  unasked: number;
  wrong: string[];
  reasons: Map<string, number>;
}

function tell({ before, after }: RealCase, written: Written, made: string): string {
  const lines = 'piece' in written ? written.piece : written.answer;
  const a = made.split('\n');
  const from = after.split('\n').findIndex((line, at) => line !== a[at]);
  const near = (text: string) => text.split('\n').slice(Math.max(0, from - 8), from + 24);
  const parts = {
    before: near(before),
    answer: lines.length > 90 ? [...lines.slice(0, 60), '…', ...lines.slice(-30)] : lines,
    true: near(after),
    written: near(made),
  };
  return Object.entries(parts)
    .map(([title, text]) => [`--- ${title}`, ...text].join('\n').replaceAll('\t', '→'))
    .join('\n');
}

function check({ write, isFor, isAsked }: Kind, files: readonly RealFile[], seed: number): Tally {
  const draw = drawsOf(seed);
  const tally: Tally = { right: 0, refused: 0, answered: 0, otherwise: 0, unasked: 0, wrong: [], reasons: new Map() };
  const own = isFor ? files.filter(isFor) : files;
  for (let tries = 0; tries < RUNS * MOST_EMPTY && tally.right + tally.refused + tally.wrong.length < RUNS; tries++) {
    const one = own.length > 0 ? someRealCase(draw, own) : undefined;
    const written = one && write(draw, one);
    if (!written) continue;
    const plans = planOf(written, one);
    const refusals = plans.flatMap((plan) => (plan.kind === 'refused' ? plan.refusals : []));
    const made = plans.find((plan) => plan.path === one.file.path && plan.kind !== 'refused');
    if (made && made.kind === 'update') {
      if (made.after === one.after && refusals.length === 0) tally.right++;
      else tally.wrong.push(tell(one, written, made.after));
    } else if (refusals.length === 0 || made) tally.wrong.push(tell(one, written, JSON.stringify(plans)));
    else {
      tally.refused++;
      const [{ reason, message, readings }] = refusals as [(typeof refusals)[0]];
      if (isAsked && readings?.includes(isAsked)) {
        const [plan] = planOf(written, one, isAsked);
        const isRight = plan?.kind === 'update' && plan.after.trim() === one.after.trim();
        tally[isRight ? 'answered' : 'otherwise']++;
      } else if (!readings) tally.unasked++;
      const told = `${reason}: ${message.replace(/\d+/g, 'N').slice(0, 70)}`;
      tally.reasons.set(told, (tally.reasons.get(told) ?? 0) + 1);
    }
  }
  return tally;
}

describe('an answer with one kind of mistake, about a real file', function () {
  this.timeout(3_600_000);
  const files = realFiles();
  for (const [index, kind] of KINDS.entries()) {
    it(`is never written otherwise than it was meant: ${kind.name}`, function () {
      if (files.length === 0) {
        console.log('      the packages are not installed: skipped');
        this.skip();
      }
      const tally = check(kind, files, SEED + index);
      const { right, refused, wrong, reasons } = tally;
      const all = right + refused + wrong.length;
      const share = (part: number) => `${((100 * part) / Math.max(1, all)).toFixed(1)} %`;
      console.log(`      ${all} cases: right ${share(right)}, refused ${share(refused)}, wrong ${wrong.length}`);
      if (kind.isAsked) {
        const { answered, otherwise, unasked } = tally;
        const told = `right ${answered}, otherwise ${otherwise}, another answer only ${refused - answered - otherwise - unasked}`;
        console.log(`        of the refused, after the user’s answer: ${told}; without a question ${unasked}`);
        assert.ok(answered >= 0.75 * refused && otherwise <= 0.1 * refused, told);
        assert.ok(unasked <= 0.05 * all, `${unasked} are not asked about`);
      }
      if (process.env.EDIT_TOLD)
        for (const [told, times] of [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 6))
          console.log(`        ${times} × ${told}`);
      assert.equal(wrong.length, 0, wrong.slice(0, Number(process.env.EDIT_SHOWN ?? 1)).join('\n\n'));
      assert.ok(all > Math.min(100, 0.2 * RUNS), `only ${all} cases`);
      if (kind.mostRefused !== undefined)
        assert.ok(refused <= (kind.mostRefused / 100) * all, `refused ${share(refused)}`);
    });
  }
});
