import assert from 'node:assert/strict';
import { planSnippet } from '../../../extension/edit/engine/snippets/snippet.ts';
import { type CommitCase, type Commits, readCommits } from './commits.ts';

/** Of a hundred cases, so many at least end in a right review. */
const LEAST_RIGHT = { all: 90, changed: 90, new: 85 };
/** Only with this every form is tried of every case: `npm run soak` does. */
const isAll = process.env.PERIGEE_COMMITS === 'all';

type Verdict = 'right' | 'refused' | 'wrong';

const isBlank = (line: string) => line.trim() === '';
const indentOf = (line: string) => /^[ \t]*/.exec(line)![0];

interface Form {
  name: string;
  /** Undefined where the case can't be shown so. */
  show(lines: readonly string[], path: string): string[] | undefined;
  /** The file of a person who has it otherwise. */
  file?(text: string): string;
}

const FORMS: Form[] = [
  { name: 'as the file has it', show: (lines) => [...lines] },
  {
    name: 'at the margin',
    show: (lines) => {
      const least = indentOf(lines.find((line) => !isBlank(line))!);
      return least === '' ? undefined : lines.map((line) => (line.startsWith(least) ? line.slice(least.length) : line));
    },
  },
  {
    name: 'below the file’s name',
    show: (lines, path) => [`${path.endsWith('.py') ? '#' : '//'} ${path}`, ...lines],
  },
  { name: 'for a file with CRLF', show: (lines) => [...lines], file: (text) => text.replaceAll('\n', '\r\n') },
];

/** Whether `after` is `before` with nothing but `lines`, and blank lines around them, before one of the lines `gaps`. */
function isAdded(
  before: readonly string[],
  after: readonly string[],
  lines: readonly string[],
  gaps: readonly number[],
) {
  const count = after.length - before.length;
  return gaps.some((gap) => {
    const added = after.slice(gap, gap + count);
    const isRest = [...after.slice(0, gap), ...after.slice(gap + count)].every((line, at) => line === before[at]);
    const [first, last] = [added.findIndex((line) => !isBlank(line)), added.findLastIndex((line) => !isBlank(line))];
    return count > 0 && isRest && added.slice(first, last + 1).join('\n') === lines.join('\n');
  });
}

function judge({ files }: Commits, one: CommitCase, form: Form): { verdict: Verdict; told: string } | undefined {
  const { text, path } = files[one.file]!;
  const shown = form.show(one.lines, path);
  if (!shown) return undefined;
  const before = form.file?.(text) ?? text;
  const plan = planSnippet(path, before, shown);
  if (plan.kind === 'refused') return { verdict: 'refused', told: plan.refusals[0]!.message };
  if (plan.kind !== 'update') return { verdict: 'wrong', told: plan.kind };
  const [old, now] = [before, plan.after].map((each) => each.replaceAll('\r\n', '\n').split('\n')) as [
    string[],
    string[],
  ];
  const { former, gaps, lines } = one;
  const isRight = former
    ? now.join('\n') === [...old.slice(0, former.start), ...lines, ...old.slice(former.end)].join('\n')
    : isAdded(old, now, lines, gaps!);
  return { verdict: isRight ? 'right' : 'wrong', told: plan.hunks.map((hunk) => JSON.stringify(hunk)).join('\n') };
}

describe('a declaration of a real commit, applied from the chat', function () {
  this.timeout(600_000);
  const commits = readCommits();
  const tally = new Map<string, Record<Verdict, number>>();
  const reasons = new Map<string, number>();
  const wrong: string[] = [];
  const count = (name: string, verdict: Verdict) => {
    const counts = tally.get(name) ?? { right: 0, refused: 0, wrong: 0 };
    counts[verdict]++;
    tally.set(name, counts);
  };

  before(() => {
    for (const [index, one] of commits.cases.entries()) {
      for (const form of isAll ? FORMS : [FORMS[0]!, FORMS[1 + (index % (FORMS.length - 1))]!]) {
        const judged = judge(commits, one, form);
        if (!judged) continue;
        const { verdict, told } = judged;
        const kind = one.former ? 'changed' : 'new';
        for (const name of ['all', kind, `${kind}: ${one.what}`, form.name]) count(name, verdict);
        if (verdict === 'refused') reasons.set(`${kind}: ${told}`, (reasons.get(`${kind}: ${told}`) ?? 0) + 1);
        if (verdict !== 'wrong') continue;
        const { path, pair } = commits.files[one.file]!;
        wrong.push([`${commits.pairs[pair]!.name} ${path}, ${form.name}`, ...one.lines, '→', told].join('\n'));
      }
    }
    for (const [name, { right, refused, wrong }] of [...tally].sort()) {
      const all = right + refused + wrong;
      const share = (part: number) => `${((100 * part) / all).toFixed(1)} %`;
      console.log(
        `      ${name.padEnd(34)} ${all} cases; right ${share(right)}, refused ${share(refused)}, wrong ${wrong}`,
      );
    }
    for (const [told, times] of [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 8))
      console.log(`        ${times} × ${told}`);
  });

  it('is of one of more than 200 that changed or were added in public packages', () => {
    assert.ok(commits.cases.length >= 200, `${commits.cases.length}`);
    assert.ok(commits.pairs.length >= 15);
  });

  it('is never written anywhere but in the place of its former self, or, new, beside others', () => {
    assert.equal(wrong.length, 0, wrong.slice(0, Number(process.env.EDIT_SHOWN ?? 2)).join('\n\n'));
  });

  for (const [kind, least] of Object.entries(LEAST_RIGHT)) {
    it(`ends in a right review in at least ${least} % of the cases without a model: ${kind}`, () => {
      const { right, refused, wrong } = tally.get(kind)!;
      assert.ok(right >= (least / 100) * (right + refused + wrong), JSON.stringify(tally.get(kind)));
    });
  }
});
