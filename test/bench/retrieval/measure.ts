// How well the index of words finds the files that a change touched, and what it costs the editor. The questions are
// lines of changelogs, with the files that differ between the releases before and after: see collect.ts. Numbers in
// extension/index/ranking/ were chosen by the questions that are not `held` out.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { indexFile } from '../../../extension/index/ranking/postings.ts';
import { readQuestion } from '../../../extension/index/ranking/question.ts';
import { TermReader } from '../../../extension/index/ranking/terms.ts';
import { WordIndex } from '../../../extension/index/ranking/wordIndex.ts';
import { fetchEditor, root } from '../../editor/fetch.ts';
import type { Finding, Measure } from '../numbers.ts';
import { publishedFiles } from './packages.ts';
import { type Question, readQuestions } from './questions.ts';

/** As many results count as answers. */
const FIRST = 5;

export const retrieval: Measure = {
  name: 'retrieval',
  about: 'what the index of the workspace finds, and what it costs',
  async run(say) {
    const questions = await readQuestions();
    return [...(await recall(questions, say)), ...(await costs(say))];
  },
};

interface Answer {
  question: Question;
  /** The touched files among the first results. */
  found: number;
}

async function recall(questions: readonly Question[], say: (line: string) => void): Promise<Finding[]> {
  const indexes = new Map<string, WordIndex>();
  for (const { package: name, base } of questions) {
    if (indexes.has(`${name}@${base}`)) continue;
    say(`indexing ${name}@${base}`);
    indexes.set(`${name}@${base}`, await indexOf(name, base));
  }
  const answers = questions.map((question): Answer => {
    const index = indexes.get(`${question.package}@${question.base}`)!;
    const first = drain(index.find(readQuestion(question.text), FIRST)).map(({ path }) => path);
    return { question, found: question.files.filter((file) => first.includes(file)).length };
  });
  return [
    ...tell(
      'tuned',
      'questions that it was tuned by',
      answers.filter(({ question }) => !question.held),
    ),
    ...tell(
      'held',
      'questions held out',
      answers.filter(({ question }) => question.held),
    ),
  ];
}

async function indexOf(name: string, version: string): Promise<WordIndex> {
  const index = new WordIndex();
  const reader = new TermReader();
  for (const [path, text] of await publishedFiles(name, version))
    index.set(drain(indexFile({ path, mtime: 0, size: text.length }, text, reader)));
  return index;
}

/** Two readings of "recall": a touched file is among the first, and which part of the touched files is. */
function tell(id: string, which: string, answers: readonly Answer[]): Finding[] {
  const mean = (of: (answer: Answer) => number) => answers.reduce((sum, one) => sum + of(one), 0) / answers.length;
  const names = [...new Set(answers.map(({ question }) => question.package))];
  const note = names
    .map((name) => {
      const own = answers.filter(({ question }) => question.package === name);
      return `${name} ${own.filter(({ found }) => found > 0).length} of ${own.length}`;
    })
    .join(', ');
  return [
    {
      id: `retrieval-hit-${id}`,
      what: `a touched file is among the first ${FIRST}: ${answers.length} ${which}`,
      value: mean(({ found }) => (found > 0 ? 1 : 0)),
      unit: '',
      goal: { atLeast: 0.8 },
      note,
    },
    {
      id: `retrieval-recall-${id}`,
      what: `part of the touched files among the first ${FIRST}: ${which}`,
      value: mean(({ question, found }) => found / Math.min(FIRST, question.files.length)),
      unit: '',
      goal: { atLeast: 0.8 },
    },
  ];
}

/** What it costs, told by a process of the editor's own Node. */
async function costs(say: (line: string) => void): Promise<Finding[]> {
  say('indexing node_modules');
  const { node } = await fetchEditor();
  const script = join(import.meta.dirname, 'costs.ts');
  const { stdout } = await promisify(execFile)(node, ['--expose-gc', '--import', 'tsx', script], { cwd: root });
  return JSON.parse(stdout);
}

function drain<T>(steps: Generator<void, T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}
