import assert from 'node:assert/strict';
import { readMessage } from '../../extension/edit/actions/texts/commitText.ts';
import { readAnswerBlocks } from '../../extension/edit/changes/applyBlocks.ts';
import { FilesRun } from '../../extension/edit/runs/filesRun.ts';
import type { EditRuns } from '../../extension/edit/runs/runs.ts';
import { AnswerText } from '../../extension/platform/answerText.ts';
import type { RunEvent } from '../../shared/runs.ts';

const BLOCK = (from: string, to: string) =>
  `a.ts\n\`\`\`ts\n<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE\n\`\`\`\n`;
const DRAFT = BLOCK('const a = 1;', 'const a = 100;');
const MEANT = BLOCK('const b = 2;', 'const b = 3;');

/** A draft that was thought, then what is meant: as models and their templates write it. */
const ANSWERS: [title: string, answer: string][] = [
  ['in tags', `<think>\n${DRAFT}No, b it is.\n</think>\n\n${MEANT}`],
  ['in other tags', `<reasoning>${DRAFT}</reasoning>\n${MEANT}`],
  ['in a tag that the template opened', `${DRAFT}No, b it is.\n</think>\n\n${MEANT}`],
  ['in Kimi’s marks', `◁think▷${DRAFT}◁/think▷${MEANT}`],
  ['not at all', MEANT],
];

const done: RunEvent = { type: 'done', data: { state: 'complete', chargedMicro: 0 } as never };

function* eventsOf(answer: string, size: number): Generator<RunEvent> {
  for (let at = 0; at < answer.length; at += size)
    yield { type: 'text', data: { text: answer.slice(at, at + size), at } };
  yield done;
}

describe('the text of an answer', () => {
  for (const [title, answer] of ANSWERS) {
    it(`is without what was thought ${title}, in whatever pieces it comes`, () => {
      for (const size of [1, 3, 7, 50, 10_000]) {
        const text = new AnswerText();
        let shown = '';
        for (const event of eventsOf(answer, size)) {
          for (const told of text.read(event)) {
            if (told.type === 'text') shown = shown.slice(0, told.data.at) + told.data.text;
          }
        }
        assert.equal(text.text.trim(), MEANT.trim());
        assert.equal(shown, text.text);
      }
    });
  }

  it('has each piece once, also one that comes again after a break of the connection', () => {
    const text = new AnswerText();
    const pieces: [at: number, text: string][] = [
      [0, '<think>x</think>Hel'],
      [16, 'Hello'],
      [13, 'nk>Hello'],
      [21, ' you'],
    ];
    for (const [at, piece] of pieces) text.read({ type: 'text', data: { at, text: piece } });
    text.read(done);
    assert.equal(text.text, 'Hello you');
  });
});

describe('an answer that was stored with its thoughts', () => {
  for (const [title, answer] of ANSWERS) {
    it(`is applied without the draft that was thought ${title}`, () => {
      const { edits } = readAnswerBlocks(answer);
      assert.equal(edits.length, 1);
      assert.ok(edits[0]!.kind === 'change' && edits[0]!.lines.some(({ text }) => text === 'const b = 3;'));
    });
  }

  it('has a commit message without them', () => {
    assert.equal(
      readMessage('<think>\nfix: a draft\n</think>\nfix: the client waits', true, ''),
      'fix: the client waits',
    );
    assert.equal(readMessage('<think>\nfix: a draft\n', false, ''), '');
  });
});

describe('an edit whose draft stands among the thoughts', () => {
  const file = 'const a = 1;\nconst b = 2;\n';

  /** What becomes of `a.ts` by these answers, the second to a request to repair. */
  async function edit(size: number, ...answers: string[]) {
    let at = 0;
    const runs: EditRuns = {
      start: async () => ({}) as never,
      async *events() {
        yield* eventsOf(answers[at++]!, size);
      },
      stop: async () => {},
      tellOutcome: async () => ({ chargedMicro: 0 }) as never,
    };
    const log = { info() {}, warn() {}, error() {} } as never;
    const input = { instruction: 'x', files: [{ path: 'a.ts', languageId: 'typescript', text: file }] };
    const host = { read: async () => ({ kind: 'file' as const, text: file }), onPlans() {}, onRepair() {} };
    const run = new FilesRun(runs, log, input, host);
    const heard = await run.run();
    run.dispose();
    assert.equal(heard.kind, 'plans');
    return heard.plans.map((plan) => (plan.kind === 'update' ? plan.after : plan.kind));
  }

  for (const [title, answer] of ANSWERS) {
    it(`writes what is meant alone: thought ${title}`, async () => {
      for (const size of [1, 5, 10_000]) assert.deepEqual(await edit(size, answer), ['const a = 1;\nconst b = 3;\n']);
    });

    it(`writes what is meant alone when it is asked once more: thought ${title}`, async () => {
      const misses = BLOCK('const c = 3;', 'const c = 4;');
      assert.deepEqual(await edit(5, misses, answer), ['const a = 1;\nconst b = 3;\n']);
    });
  }
});
