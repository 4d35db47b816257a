// Edits in a real extension host: how long they keep the host from other work, how soon what was written is there for
// review, and what they keep in memory.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../editor/fetch.ts';
import { type Finding, listed, type Measure, quantile } from './numbers.ts';

const ROUNDS = 5;
/** The suite that writes the edits and tells the numbers. */
const SUITE = 'test/extension/edit/editPerf.test.ts';

/** As the suite tells it behind a test's title. */
const TOLD = /takes (.+) \(longest block, ms: (.+); then, ms: (.+); all, ms: (.+); kept, MB: ([-\d.]+)\)/g;

interface Measured {
  what: string;
  longestMs: number;
  shownMs: number;
  allMs: number;
  grownMb: number;
}

export const edits: Measure = {
  name: 'edits',
  about: 'edits while they stream into a real editor',
  async run(say) {
    const rounds: Measured[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      say(`round ${round} of ${ROUNDS}`);
      rounds.push(...(await measure()));
    }
    return [...new Set(rounds.map(({ what }) => what))].flatMap((what) =>
      tell(
        what,
        rounds.filter((each) => each.what === what),
      ),
    );
  },
};

async function measure(): Promise<Measured[]> {
  const args = ['--import', 'tsx', join(root, 'test/editor/test.ts'), '--host', 'node', SUITE];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    maxBuffer: 64e6,
    env: { ...process.env, PERIGEE_BY_TOKENS: '1' },
  });
  const measured = [...stdout.matchAll(TOLD)].map(([, what, ...values]): Measured => {
    const [longestMs, shownMs, allMs, grownMb] = values.map(Number) as [number, number, number, number];
    return { what: what!, longestMs, shownMs, allMs, grownMb };
  });
  if (measured.length === 0) throw new Error(`${SUITE} told no numbers.`);
  return measured;
}

/** The slowest of some rounds is the garbage collector's, or another program's: the middle is told beside it. */
function tell(what: string, rounds: Measured[]): Finding[] {
  const of = (key: 'longestMs' | 'shownMs' | 'allMs' | 'grownMb') => rounds.map((each) => each[key]);
  const id = `edits-${what.replace(/\W+/g, '-')}`;
  const middle = (key: Parameters<typeof of>[0]) => quantile(of(key), 0.5);
  return [
    {
      id: `${id}-block`,
      what: `longest block of the extension host: ${what}`,
      value: middle('longestMs'),
      unit: 'ms',
      goal: { atMost: 16 },
      note: `work of its thread, middle of ${listed(of('longestMs'))}; ${middle('allMs').toFixed(0)} ms in all`,
    },
    {
      id: `${id}-shown`,
      what: `from the last token to the review: ${what}`,
      value: middle('shownMs'),
      unit: 'ms',
      note: `by the clock, middle of ${listed(of('shownMs'))}`,
    },
    {
      id: `${id}-heap`,
      what: `heap kept while it is reviewed: ${what}`,
      value: middle('grownMb'),
      unit: 'MB',
      note: `after garbage collection, middle of ${listed(of('grownMb'))}`,
    },
  ];
}
