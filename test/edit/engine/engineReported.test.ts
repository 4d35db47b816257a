import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { planEdits } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';
import { planSnippet } from '../../../extension/edit/engine/snippets/snippet.ts';

const REPORTED = fileURLToPath(new URL('../../../../shared/faults/edits', import.meta.url));

interface Report {
  id: string;
  /** One file's text, for a piece of code, or the files by their names. */
  before: string | Record<string, string>;
  answer?: string;
  snippet?: string;
  want: 'refuse' | string | Record<string, string>;
}

/** Where a report leaves a choice, what is done here: the text, or a refusal. */
const CHOSEN: Record<string, Record<string, string>> = {
  // All other lines, the new one too, stand as in the file: one blank more is a slip of that line.
  'R9-wrong-reason-told': {
    'a.py':
      'def longer_name_of_it():\n    status = compute_the_status_of_it()\n    log()\n    return status_of_all_the_things\n',
  },
  'W6-line-hint-in-the-replacement': { 'f.txt': 'red\nlime\nblue\n' },
  'W7-numbered-whole-file': { 'a.py': 'def main():\n    status = run()\n    log(status)\n    return status\n' },
};
const MAY_REFUSE = /^W/;

function resultOf({ before, answer, snippet }: Report): { after: Record<string, string>; told: string[] } {
  const files = typeof before === 'string' ? { 'a.js': before } : before;
  const reader = new AnswerReader();
  const plans = snippet
    ? [planSnippet('a.js', files['a.js'], snippet.split('\n'))]
    : planEdits([...reader.feed(answer!), ...reader.end()], (path) => files[path]);
  const after = { ...files };
  for (const plan of plans) if (plan.kind === 'update') after[plan.path] = plan.after;
  return {
    after,
    told: plans.flatMap((plan) => (plan.kind === 'refused' ? plan.refusals.map(({ message }) => message) : [])),
  };
}

describe('an edit that was reported as written wrongly or refused', () => {
  const names = existsSync(REPORTED) ? readdirSync(REPORTED).filter((name) => name.endsWith('.json')) : [];
  if (names.length === 0) it.skip(`is looked for at ${REPORTED}, which is not there`);
  for (const name of names.sort()) {
    const report: Report = JSON.parse(readFileSync(join(REPORTED, name), 'utf8'));
    const { id, before, want } = report;
    it(`${id.replace(/^[A-Z]\d+b?-/, '').replaceAll('-', ' ')}`, () => {
      const { after, told } = resultOf(report);
      const untouched = typeof before === 'string' ? { 'a.js': before } : before;
      const expected =
        CHOSEN[id] ?? (want === 'refuse' ? untouched : typeof want === 'string' ? { 'a.js': want } : want);
      if (told.length > 0 && (want === 'refuse' || MAY_REFUSE.test(id))) assert.deepEqual(after, untouched);
      else assert.deepEqual([after, told], [expected, []]);
    });
  }
});
