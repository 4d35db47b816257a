// Run by measure.ts in the Node of the editor: tells what the index costs, as JSON.
import { join } from 'node:path';
import { Indexer } from '../../../extension/index/indexer.ts';
import { readQuestion } from '../../../extension/index/ranking/question.ts';
import { decode, encode } from '../../../extension/index/ranking/storing.ts';
import { Slices } from '../../../extension/index/slices.ts';
import { root } from '../../editor/fetch.ts';
import { type Finding, quantile } from '../numbers.ts';
import { folderRoot } from './folder.ts';
import { readQuestions } from './questions.ts';

/** How long this thread has worked, in ms. Since Node 23. */
function work(): number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };
  if (!threadCpuUsage) throw new Error('This needs the Node of the editor.');
  const { user, system } = threadCpuUsage();
  return (user + system) / 1000;
}

/** What it costs with as many files as it holds: those of this repository's packages, read from the disk. */
async function costs(): Promise<Finding[]> {
  const watch = new SliceWatch();
  const folder = folderRoot(join(root, 'node_modules'));
  const before = heap();
  const indexer = new Indexer(watch.slices);
  const began = performance.now();
  const cpu = work();
  const built = await indexer.build([folder]);
  const worked = (work() - cpu) / 1000;
  const seconds = (performance.now() - began) / 1000;
  const buildMs = watch.longestMs();
  const memory = (heap() - before) / 1e6;
  const again = performance.now();
  await indexer.build([folder]);
  const againS = (performance.now() - again) / 1000;

  const asking = new SliceWatch();
  const times: number[] = [];
  for (const { text } of await readQuestions()) {
    const start = performance.now();
    await asking.slices.run(indexer.index.find(readQuestion(text), 10));
    times.push(performance.now() - start);
  }
  const stored = encode(indexer.index.all());
  if (decode(stored)?.length !== indexer.index.size) throw new Error('The stored index does not come back.');
  const mb = (stored.length / 1e6).toFixed(1);
  return [
    {
      id: 'retrieval-index',
      what: `index of ${built.files} files`,
      value: seconds,
      unit: 's',
      goal: { atMost: 30 },
      note: `by the clock; ${worked.toFixed(1)} s of work of its thread; again, with nothing changed, ${againS.toFixed(1)} s; stored ${mb} MB`,
    },
    {
      id: 'retrieval-slice',
      what: 'longest slice while it is built',
      value: buildMs,
      unit: 'ms',
      goal: { atMost: 16 },
      note: watch.note(),
    },
    {
      id: 'retrieval-memory',
      what: 'memory of that index',
      value: memory,
      unit: 'MB',
      goal: { atMost: 64 },
      note: `heap and buffers after garbage collection; by its own count ${(indexer.index.bytes / 1e6).toFixed(1)} MB`,
    },
    {
      id: 'retrieval-question',
      what: 'question to that index, slowest of all',
      value: quantile(times, 1),
      unit: 'ms',
      goal: { atMost: 300 },
      note: `by the clock, middle ${quantile(times, 0.5).toFixed(0)} ms`,
    },
    {
      id: 'retrieval-question-slice',
      what: 'longest slice of a question',
      value: asking.longestMs(),
      unit: 'ms',
      goal: { atMost: 16 },
      note: asking.note(),
    },
  ];
}

/** Measures slices by the work of the thread: on a busy machine, the clock tells the work of others as well. */
class SliceWatch {
  private readonly all: number[] = [];
  private began = work();
  readonly slices = new Slices(undefined, async () => {
    this.all.push(work() - this.began);
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.began = work();
  });

  longestMs = () => quantile(this.all, 1);

  note(): string {
    const part = (share: number) => quantile(this.all, share).toFixed(1);
    return `${this.all.length} slices, middle ${part(0.5)} ms, 99 % ${part(0.99)} ms`;
  }
}

function heap(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

console.log(JSON.stringify(await costs()));
