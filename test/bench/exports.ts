// What an export takes: time, bytes, and memory of the server that shouldn't grow with what there is to export.
import { memberAt, type SeededMember } from './members.ts';
import type { Finding, Measure } from './numbers.ts';

const PATH = '/api/account/export';
const MB = 1024 * 1024;
export const FEW = 1_000;
export const MANY = 10_000;

interface Exported {
  bytes: number;
  firstByteMs: number;
  /** Of all the exports. */
  ms: number;
  peakBytes: number;
}

/** `few` has 1,000 messages and `many` 10,000: as many are read for ten exports of the one as for one of the other. */
export async function exports(
  url: string,
  { few, many }: { few: SeededMember; many: SeededMember },
  say: Parameters<Measure['run']>[0],
): Promise<Finding[]> {
  const ofFew = () =>
    peakDuring(url, async () => {
      const began = performance.now();
      for (let i = 1; i < MANY / FEW; i++) await download(url, few);
      return { ...(await download(url, few)), ms: performance.now() - began };
    });
  // Code is compiled, and the heap gets the size that it needs for this anyway.
  await ofFew();
  const small = await ofFew();
  const large = await peakDuring(url, () => download(url, many));
  const shown = ({ bytes, ms, peakBytes }: Exported) =>
    `${(bytes / MB).toFixed(2)} MB in ${ms.toFixed(0)} ms, peak ${(peakBytes / MB).toFixed(0)} MB`;
  say(`exports: ten of ${FEW} messages: ${shown(small)}; ${MANY} messages: ${shown(large)}`);
  return [
    {
      id: 'export-memory',
      what: `export of ${MANY} messages: peak memory of the server beside exports of ${FEW}`,
      value: large.peakBytes / small.peakBytes,
      unit: '×',
      goal: { atMost: 1.1 },
      note: `${shown(large)}; ten of ${FEW}: ${shown(small)}`,
    },
    {
      id: 'export-ms',
      what: '  time',
      value: large.ms,
      unit: 'ms',
      note: `first byte after ${large.firstByteMs.toFixed(0)} ms`,
    },
    { id: 'export-bytes', what: '  size', value: large.bytes / MB, unit: 'MB' },
  ];
}

async function download(url: string, seeded: SeededMember): Promise<Omit<Exported, 'peakBytes'>> {
  const headers = await memberAt(url, seeded, 0).credentials('GET', PATH);
  const began = performance.now();
  const answer = await fetch(url + PATH, { headers });
  if (answer.status !== 200) throw new Error(`no export: ${answer.status} ${await answer.text()}`);
  let firstByteMs = 0;
  let bytes = 0;
  for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
    firstByteMs ||= performance.now() - began;
    bytes += piece.length;
  }
  return { bytes, firstByteMs, ms: performance.now() - began };
}

/** The most resident memory that the server was seen to have meanwhile. */
async function peakDuring(url: string, act: () => Promise<Omit<Exported, 'peakBytes'>>): Promise<Exported> {
  let peakBytes = 0;
  let done = false;
  const look = async () => {
    while (!done) {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      peakBytes = Math.max(peakBytes, Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]));
      await new Promise((again) => setTimeout(again, 25));
    }
  };
  const looking = look();
  const exported = await act().finally(() => {
    done = true;
  });
  await looking;
  return { ...exported, peakBytes };
}
