// What a search costs beside the plain list of conversations: the index narrows it, and only a match is read.
import { memberAt, type SeededMember } from './members.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';

const ROUNDS = 12;
const LIST = '/api/conversations';

/** 500 letters: the longest that is taken, none of whose texts is there. */
const PARTS = ['parsers and tokens '.repeat(27).slice(0, 500), 'a'.repeat(500)];

export async function searches(
  url: string,
  seeded: SeededMember,
  say: Parameters<Measure['run']>[0],
): Promise<Finding> {
  const member = memberAt(url, seeded, 0);
  const times = { list: [] as number[], search: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++)
    for (const part of PARTS) {
      const list = await timed(url, LIST, await member.credentials('GET', LIST));
      const search = await timed(
        url,
        `${LIST}?search=${encodeURIComponent(part)}`,
        await member.credentials('GET', LIST),
      );
      // In the first round code is compiled.
      if (round === 0) continue;
      times.list.push(list);
      times.search.push(search);
    }
  say(`search of 500 letters: ${listed(times.search, 1)} ms, the list ${listed(times.list, 1)} ms`);
  return {
    id: 'search-ratio',
    what: 'a search of 500 letters over 0.8 MB beside the list of conversations, SQLite',
    value: median(times.search) / median(times.list),
    unit: '×',
    goal: { atMost: 3 },
    note: `${median(times.search).toFixed(1)} ms beside ${median(times.list).toFixed(1)} ms`,
  };
}

async function timed(url: string, path: string, headers: Record<string, string>): Promise<number> {
  const began = performance.now();
  const answer = await fetch(url + path, { headers });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}: ${text}`);
  return performance.now() - began;
}
