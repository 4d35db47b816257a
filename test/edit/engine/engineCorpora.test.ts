import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FilePlan, Reason } from '../../../extension/edit/engine/edits.ts';
import { planEdits } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';

const CORPORA = fileURLToPath(new URL('../../../../shared/corpora', import.meta.url));

type Files = Record<string, string>;

interface Case {
  name: string;
  patch: string;
  before: Files;
  expected: Files;
}

interface Difference {
  why: string;
  /** Refused for these reasons, in order, and nothing written. */
  refused: Reason[];
}

/** Where our rules differ from those of the corpus, or where what the corpus knows can't be told from the patch. */
const DIFFERENCES: Record<string, Difference> = {
  'apply-patch-scenarios/010_move_overwrites_existing_destination': {
    why: 'A move onto an existing file would destroy it, and the patch shows no sign of knowing that file.',
    refused: ['fileExists'],
  },
  'apply-patch-scenarios/011_add_overwrites_existing_file': {
    why: 'A file to be added that exists already would be destroyed unseen; a whole file in a fence replaces it, as a diff.',
    refused: ['fileExists'],
  },
};

/** Why those that the corpus wants refused are refused. */
const REFUSED: Record<string, Reason> = {
  'apply-patch-scenarios/005_rejects_empty_patch': 'malformed',
  'apply-patch-scenarios/006_rejects_missing_context': 'notFound',
  'apply-patch-scenarios/007_rejects_missing_file_delete': 'fileMissing',
  'apply-patch-scenarios/008_rejects_empty_update_hunk': 'malformed',
  'apply-patch-scenarios/009_requires_existing_file_for_update': 'fileMissing',
  'apply-patch-scenarios/012_delete_directory_fails': 'fileMissing',
  'apply-patch-scenarios/013_rejects_invalid_hunk_header': 'malformed',
  'apply-patch-scenarios/015_failure_after_partial_success_leaves_changes': 'fileMissing',
};

function v4aPatches(): Case[] {
  const folder = join(CORPORA, 'v4a-patches');
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => {
      const { patch, original, expected, fpath } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      return { name: `v4a-patches/${name}`, patch, before: { [fpath]: original }, expected: { [fpath]: expected } };
    });
}

function scenarios(): Case[] {
  const folder = join(CORPORA, 'apply-patch-scenarios');
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names
    .map(({ name }) => ({
      name: `apply-patch-scenarios/${name}`,
      patch: readFileSync(join(folder, name, 'patch.txt'), 'utf8'),
      before: readFiles(join(folder, name, 'input')),
      expected: readFiles(join(folder, name, 'expected')),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readFiles(folder: string): Files {
  if (!existsSync(folder)) return {};
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path, 'utf8')];
    }),
  );
}

/** The files after `plans`, each applied whole or not at all. */
function filesAfter(before: Files, plans: readonly FilePlan[]): Files {
  const files = { ...before };
  for (const plan of plans) {
    if (plan.kind === 'refused') continue;
    if (plan.kind === 'delete' || plan.kind === 'move') delete files[plan.path];
    if (plan.kind === 'move') files[plan.to] = plan.after;
    if (plan.kind === 'create' || plan.kind === 'update') files[plan.path] = plan.after;
  }
  return files;
}

const isSame = (a: Files, b: Files) => {
  const names = Object.keys(a).sort();
  return names.join('\n') === Object.keys(b).sort().join('\n') && names.every((name) => a[name] === b[name]);
};

type Verdict = 'right' | 'right, by refusing' | 'refused, declared' | 'wrong';

function judge({ name, patch, before, expected }: Case): { verdict: Verdict; told: string } {
  const reader = new AnswerReader();
  // In pieces, as it comes from a model.
  const edits = patch.match(/[\s\S]{1,7}/g)!.flatMap((piece) => reader.feed(piece));
  edits.push(...reader.end());
  const plans = planEdits(edits, (path) => before[path]);
  const after = filesAfter(before, plans);
  const refusals = plans.flatMap((plan) => (plan.kind === 'refused' ? plan.refusals : []));
  const told = refusals.map(({ reason, message }) => `${reason}: ${message}`).join(' | ');
  const reasons = refusals.map(({ reason }) => reason).join();
  const difference = DIFFERENCES[name];
  if (difference) {
    const isAsDeclared = reasons === difference.refused.join() && isSame(after, before);
    return { verdict: isAsDeclared ? 'refused, declared' : 'wrong', told };
  }
  if (!isSame(after, expected) || reasons !== (REFUSED[name] ?? '')) return { verdict: 'wrong', told };
  return { verdict: refusals.length > 0 ? 'right, by refusing' : 'right', told };
}

describe('the edit engine on the corpora', () => {
  for (const [corpus, load, count] of [
    ['v4a-patches', v4aPatches, 25],
    ['apply-patch-scenarios', scenarios, 23],
  ] as const) {
    it(`does ${corpus} right, or refuses for a declared reason`, function () {
      if (!existsSync(join(CORPORA, corpus))) {
        console.log(`      ${corpus} is not at ${CORPORA}: skipped`);
        this.skip();
      }
      const cases = load();
      assert.equal(cases.length, count);
      const judged = cases.map((one) => ({ name: one.name, ...judge(one) }));
      const verdicts: Verdict[] = ['right', 'right, by refusing', 'refused, declared', 'wrong'];
      for (const verdict of verdicts) {
        console.log(`      ${verdict.padEnd(18)} ${judged.filter((one) => one.verdict === verdict).length}`);
      }
      for (const { name, verdict, told } of judged) {
        if (verdict !== 'right') console.log(`      ${name}: ${verdict}. ${DIFFERENCES[name]?.why ?? told}`);
      }
      assert.deepEqual(
        judged.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name),
        [],
      );
    });
  }
});
