import assert from 'node:assert/strict';
import { AnswerRun, requestFor } from '../../../extension/edit/runs/answerRun.ts';
import { FilesRun } from '../../../extension/edit/runs/filesRun.ts';
import type { EditRuns } from '../../../extension/edit/runs/runs.ts';
import type { RunEvent } from '../../../shared/runs.ts';

const files = [
  { path: 'a.ts', languageId: 'typescript', text: 'const a = 1;\n' },
  { path: 'b.ts', languageId: 'typescript', text: 'const b = 2;\n' },
];
const input = { instruction: 'x', files };
const block = (path: string, from: string, to: string) =>
  `${path}\n\`\`\`ts\n<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE\n\`\`\`\n`;
const balance = { availableMicro: 0, pendingMicro: 0, ofMicro: 0, promotionalMicro: 0, purchasedMicro: 0, windows: [] };
const DONE: RunEvent = { type: 'done', data: { state: 'complete', chargedMicro: 1, balance } };
const log = { warn() {}, error() {}, info() {} } as never;

function runsOf(texts: { text: string; at: number }[]): EditRuns {
  return {
    start: async () => {},
    async *events() {
      for (const data of texts) yield { type: 'text', data };
      yield DONE;
    },
    stop: async () => {},
    tellOutcome: async () => ({ chargedMicro: 1, refundedMicro: 0, balance }),
  } as unknown as EditRuns;
}

describe('an answer whose beginning is taken back', () => {
  const draft = block('a.ts', 'const a = 1;', 'const a = 100;');
  const answer = block('b.ts', 'const b = 2;', 'const b = 3;');

  it('is what came after it; what merely comes again is no beginning', async () => {
    const texts = [
      { text: 'No.', at: 0 },
      { text: 'No. W', at: 0 },
      { text: 'ait', at: 5 },
      { text: 'Yes', at: 0 },
      { text: '.', at: 3 },
    ];
    let takenBack = 0;
    const run = new AnswerRun(runsOf(texts), log, requestFor(input));
    await run.read(
      () => {},
      () => takenBack++,
    );
    assert.deepEqual([run.answer, takenBack], ['Yes.', 1]);
  });

  it('is told from a repetition by an empty text, also where it begins as the thoughts did', async () => {
    const texts = [
      { text: 'Yes, I think', at: 0 },
      { text: '', at: 0 },
      { text: 'Yes', at: 0 },
      { text: '.', at: 3 },
    ];
    const run = new AnswerRun(runsOf(texts), log, requestFor(input));
    await run.read(() => {});
    assert.equal(run.answer, 'Yes.');
  });

  it('leaves none of its changes in an edit of files', async () => {
    const texts = [
      { text: draft, at: 0 },
      { text: answer, at: 0 },
    ];
    const host = {
      read: async (path: string) => ({ kind: 'file' as const, text: files.find((file) => file.path === path)!.text }),
      onPlans() {},
      onRepair() {},
    };
    const heard = await new FilesRun(runsOf(texts), log, input, host).run();
    assert.deepEqual(heard.kind === 'plans' && heard.plans.map(({ kind, path }) => [kind, path]), [['update', 'b.ts']]);
  });
});
