import assert from 'node:assert/strict';
import { createTwoFilesPatch } from 'diff';
import { planBlocks, readCode } from '../../../extension/edit/changes/applyBlocks.ts';
import { planEdits } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';
import { readCommits } from './commits.ts';

/** What models do to a diff that they write from memory. Lines below the two names. */
const HABITS: Record<string, (lines: string[]) => string[]> = {
  'as git writes it': (lines) => lines,
  'with line numbers that are wrong': (lines) => lines.map((line) => line.replace(/^@@ .*/, '@@ -1,7 +1,7 @@')),
  'without line numbers': (lines) => lines.map((line) => line.replace(/^@@ .*/, '@@')),
  'without the first line numbers': (lines) => lines.slice(1),
  'without the blank on empty lines': (lines) => lines.map((line) => (line === ' ' ? '' : line)),
};

describe('unified diffs of real commits', () => {
  const { files, cases } = readCommits();
  for (const [habit, written] of Object.entries(HABITS))
    it(`${habit} change what they say, or are refused`, () => {
      const counts = { right: 0, refused: 0, wrong: 0 };
      for (const { file, lines, former } of cases) {
        if (!former) continue;
        const { path, text } = files[file]!;
        const all = text.split('\n');
        const after = [...all.slice(0, former.start), ...lines, ...all.slice(former.end)].join('\n');
        if (after === text) continue;
        const [, , , ...below] = createTwoFilesPatch(`a/${path}`, `b/${path}`, text, after, '', '', {
          context: 3,
        }).split('\n');
        const diff = [`--- a/${path}`, `+++ b/${path}`, ...written(below)].join('\n');
        const [plan, ...others] = planBlocks(readCode(diff, 'diff', undefined).edits, (of) =>
          of === path ? text : undefined,
        );
        assert.deepEqual(others, []);
        if (plan?.kind !== 'update') counts.refused++;
        else if (plan.after === after) counts.right++;
        else counts.wrong++;
      }
      console.log(`        ${habit}: ${JSON.stringify(counts)}`);
      assert.equal(counts.wrong, 0);
      assert.ok(counts.right > 100 && counts.right >= 0.9 * (counts.right + counts.refused), JSON.stringify(counts));
    });

  it('are read in an answer, for the file being edited where they name none, and to their own end', () => {
    const file = '# A\n\n```sh\nnpm test\n```\n\nold\n';
    const body = ['@@', ' # A', ' ', ' ```sh', '-npm test', '+npm run check', ' ```', ' ', '-old', '+new'];
    const named = ['--- a/a.md', '+++ b/a.md', ...body];
    for (const [diff, path] of [
      [named, undefined],
      [body, 'a.md'],
    ] as const) {
      const reader = new AnswerReader(path);
      const edits = [
        ...reader.feed(`Like this:\n\n\`\`\`diff\n${diff.join('\n')}\n\`\`\`\n\nDone.\n`),
        ...reader.end(),
      ];
      const [plan, ...others] = planEdits(edits, (of) => (of === 'a.md' ? file : undefined));
      assert.deepEqual(others, []);
      assert.equal(plan?.kind === 'update' && plan.after, '# A\n\n```sh\nnpm run check\n```\n\nnew\n');
    }
    const reader = new AnswerReader();
    const edits = [...reader.feed('```diff\n-a\n+b\n```\n'), ...reader.end()];
    assert.deepEqual(
      edits.map(({ kind, path }) => [kind, path]),
      [['whole', undefined]],
    );
  });
});
