// The time from sending to the first token, above what the model service itself takes: from the client's send to the
// request's arrival upstream, and from the first piece leaving there to the client having it. The double answers at once,
// so nothing of our own work hides behind a model that thinks.
import type { BillEntry } from '../doubles/script.ts';
import type { Gateway, Stream } from './gateways.ts';
import { type Finding, listed, type Measure, median, quantile } from './numbers.ts';
import { type Services, startServices, type UpstreamProcess } from './services.ts';

const ROUNDS = 5;
const PARALLEL = 50;
const EVERY_MS = 20;

interface Round {
  p50: number;
  p99: number;
}

export const firstToken: Measure = {
  name: 'ttft',
  about: 'time to the first token above the model service’s own',
  async run(say) {
    const services = await startServices(PARALLEL);
    try {
      return [
        ...(await compare(services, 'one', `one stream at a time`, oneByOne, say)),
        ...(await compare(services, 'parallel', `${PARALLEL} streams at once`, manyAtOnce, say)),
      ];
    } finally {
      await services.stop();
    }
  },
};

type Load = (gateway: Gateway, upstream: UpstreamProcess) => Promise<Stream[]>;

/** 200 short answers, one after the other. */
async function oneByOne(gateway: Gateway, upstream: UpstreamProcess): Promise<Stream[]> {
  await upstream.answer(4, 1);
  const streams: Stream[] = [];
  for (let i = 0; i < 200; i++) streams.push(await gateway.stream(i));
  return streams;
}

/** So many readers, each of whom asks again when its answer of 64 events is complete; they begin one by one. */
async function manyAtOnce(gateway: Gateway, upstream: UpstreamProcess): Promise<Stream[]> {
  await upstream.answer(64, EVERY_MS);
  const streams: Stream[] = [];
  const reader = async (n: number) => {
    await new Promise((begin) => setTimeout(begin, (n * 64 * EVERY_MS) / PARALLEL));
    for (let i = 0; i < 3; i++) streams.push(await gateway.stream(n));
  };
  await Promise.all(Array.from({ length: PARALLEL }, (_, n) => reader(n)));
  return streams;
}

/** Rounds of both gateways in turn, so that what else the machine does meets both; the middle of the rounds counts. */
async function compare(
  { upstream, gateways }: Services,
  id: string,
  title: string,
  load: Load,
  say: (line: string) => void,
): Promise<Finding[]> {
  const rounds: { plain: Round[]; perigee: Round[] } = { plain: [], perigee: [] };
  for (let i = 0; i <= ROUNDS; i++) {
    for (const which of ['plain', 'perigee'] as const) {
      const added = await addedTimes(upstream, await load(gateways[which], upstream));
      const round = { p50: quantile(added, 0.5), p99: quantile(added, 0.99) };
      // In the first round code is compiled and connections are opened.
      if (i === 0) continue;
      rounds[which].push(round);
      say(`${title}, ${gateways[which].name}: p50 ${round.p50.toFixed(2)} ms, p99 ${round.p99.toFixed(2)} ms`);
    }
  }
  const finding = (which: 'plain' | 'perigee', part: keyof Round, goal?: Finding['goal']): Finding => {
    const values = rounds[which].map((round) => round[part]);
    return {
      id: `ttft-${id}-${which}-${part}`,
      what: `first token, ${title}, ${gateways[which].name}, ${part}`,
      value: median(values),
      unit: 'ms',
      goal,
      note: `middle of ${listed(values)}`,
    };
  };
  return [
    finding('perigee', 'p50'),
    finding('perigee', 'p99', { atMost: 10 }),
    finding('plain', 'p50'),
    finding('plain', 'p99'),
  ];
}

/** In ms, for each stream. */
async function addedTimes(upstream: UpstreamProcess, streams: Stream[]): Promise<number[]> {
  const bill = new Map((await upstream.bill()).map((entry) => [entry.body.messages?.at(-1)?.content, entry]));
  return streams.map((stream) => {
    const entry = bill.get(stream.mark);
    if (!entry?.firstPieceAtMs) throw new Error('a request is missing on the bill of the model service');
    return addedToFirst(stream, entry);
  });
}

/** What the way to the first token and back adds, in ms, above what the service itself takes. */
export function addedToFirst(
  stream: Pick<Stream, 'sentAt' | 'firstTextAt'>,
  entry: Pick<BillEntry, 'receivedAtMs' | 'firstPieceAtMs'>,
): number {
  return stream.firstTextAt - entry.firstPieceAtMs! + (entry.receivedAtMs - stream.sentAt);
}
