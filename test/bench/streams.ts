// Many answers at once, 50 events a second each, beside the plain proxy: what an event costs on its whole way through the
// server (stored in the event log on the way), and how many streams are kept up without a loss.
import type { Gateway, Stream } from './gateways.ts';
import { type Finding, listed, type Measure, median, quantile } from './numbers.ts';
import { type Services, startServices, type UpstreamProcess } from './services.ts';

const EVERY_MS = 20;
const STREAMS = 100;
const ROUNDS = 3;
/** The code is compiled as it is used: the first hundred answers of a process cost twice as much as its thousandth. */
const WARM_UP_ROUNDS = 8;
/** Streams begin over this time, as people do. */
const RAMP_MS = 1000;

export const streams: Measure = {
  name: 'streams',
  about: 'cost of an event, and how many streams are kept up',
  async run(say) {
    const services = await startServices(STREAMS);
    try {
      return [...(await costs(services, say)), ...(await mosts(services, say))];
    } finally {
      await services.stop();
    }
  },
};

type Which = 'plain' | 'perigee' | 'calls' | 'messages';
const ALL: readonly Which[] = ['plain', 'perigee', 'calls', 'messages'];

/** Processor time in µs: for one more event of a running answer, and for an answer's beginning and end. */
interface Cost {
  event: number;
  answer: number;
}

async function costs({ upstream, gateways }: Services, say: (line: string) => void): Promise<Finding[]> {
  const rounds: Record<Which, Cost[]> = { plain: [], perigee: [], calls: [], messages: [] };
  for (const which of ALL) for (let i = 0; i < WARM_UP_ROUNDS; i++) await cpuMicros(gateways[which], upstream, 1);
  for (let i = 0; i <= ROUNDS; i++) {
    for (const which of ALL) {
      const gateway = gateways[which];
      // A line through two points: long answers and short ones.
      const [short, long] = [10, 200];
      const few = await cpuMicros(gateway, upstream, short);
      if (i === 0) continue;
      const event = ((await cpuMicros(gateway, upstream, long)) - few) / (long - short);
      const cost = { event, answer: few - short * event };
      say(`${gateway.name}: ${cost.event.toFixed(1)} µs an event, ${cost.answer.toFixed(0)} µs an answer`);
      rounds[which].push(cost);
    }
  }
  const cost = (which: Which, part: keyof Cost): Finding => {
    const values = rounds[which].map((round) => round[part]);
    return {
      id: `${part}-cost-${which}`,
      what: `  ${part === 'event' ? `for an event, ${STREAMS} streams` : 'for an answer’s beginning and end'}, ${gateways[which].name}`,
      value: median(values),
      unit: 'µs',
      note: `middle of ${listed(values)}`,
    };
  };
  const beside = (which: 'perigee' | 'calls', part: keyof Cost, goal: number): Finding => {
    const ratios = rounds[which].map((round, i) => round[part] / rounds.plain[i]![part]);
    const what = part === 'event' ? 'for an event' : 'for an answer’s beginning and end';
    return {
      id: which === 'perigee' ? `${part}-cost` : `${part}-cost-of-calls`,
      what: `processor time ${what}, ${gateways[which].name}, of the plain proxy’s`,
      value: median(ratios),
      unit: '×',
      goal: { atMost: goal },
      note: `middle of ${listed(ratios, 2)}`,
    };
  };
  return [
    beside('perigee', 'event', 1.3),
    beside('calls', 'event', 1.3),
    beside('perigee', 'answer', 1.5),
    beside('calls', 'answer', 1.5),
    cost('perigee', 'event'),
    cost('calls', 'event'),
    cost('messages', 'event'),
    cost('plain', 'event'),
    cost('perigee', 'answer'),
    cost('calls', 'answer'),
    cost('messages', 'answer'),
    cost('plain', 'answer'),
  ];
}

/** What one answer of so many events costs the gateway's process, with 100 of them at once. */
async function cpuMicros(gateway: Gateway, upstream: UpstreamProcess, events: number): Promise<number> {
  const before = await gateway.cpuSeconds();
  const all = await load(gateway, upstream, STREAMS, events);
  const losses = STREAMS - all.length + lost(gateway, all, events);
  if (losses > 0) throw new Error(`${gateway.name} lost something of ${losses} streams`);
  return (((await gateway.cpuSeconds()) - before) * 1e6) / STREAMS;
}

/**
 * Climbs until the streams are no longer kept up, then halves the last step. All of it (model service, gateway, readers)
 * shares one machine, so the numbers themselves are small; the ratio is what counts.
 */
async function mosts({ upstream, gateways }: Services, say: (line: string) => void): Promise<Finding[]> {
  const most: Record<Which, number> = { plain: 0, perigee: 0, calls: 0, messages: 0 };
  for (const which of ALL) {
    // Twice, for the machine may have been busy with something else for a moment.
    const kept = async (n: number) =>
      (await keptUp(gateways[which], upstream, n, say)) || (await keptUp(gateways[which], upstream, n, say));
    let n = 100;
    for (; n < 2000 && (await kept(n)); n = Math.round(n * 1.5)) most[which] = n;
    const between = Math.round((most[which] + n) / 2);
    if (await kept(between)) most[which] = between;
  }
  const found = (which: Which): Finding => ({
    id: `streams-${which}`,
    what: `  ${gateways[which].name}`,
    value: most[which],
    unit: 'streams',
  });
  return [
    {
      id: 'streams',
      what: 'streams kept up at 50 events/s each, of the plain proxy’s',
      value: most.perigee / most.plain,
      unit: '×',
      goal: { atLeast: 0.8 },
    },
    {
      id: 'streams-of-calls',
      what: 'the same of Perigee’s /v1',
      value: most.calls / most.plain,
      unit: '×',
      goal: { atLeast: 0.8 },
    },
    {
      id: 'streams-of-messages',
      what: 'streams of /v1/messages kept up, of those of /v1/chat/completions',
      value: most.messages / most.calls,
      unit: '×',
      goal: { atLeast: 0.8 },
    },
    found('perigee'),
    found('calls'),
    found('messages'),
    found('plain'),
  ];
}

/** Whether nothing was lost and 95 of 100 answers were complete at most a quarter later than their events need. */
async function keptUp(
  gateway: Gateway,
  upstream: UpstreamProcess,
  n: number,
  say: (line: string) => void,
): Promise<boolean> {
  const events = 64;
  const all = await load(gateway, upstream, n, events);
  // From the sending on: what has to wait for its beginning isn't kept up either.
  const slowness = all.map((stream) => (stream.lastTextAt - stream.sentAt) / ((events - 1) * EVERY_MS));
  const slow = quantile(slowness, 0.95);
  const losses = n - all.length + lost(gateway, all, events);
  say(`${gateway.name}, ${n} streams: ${losses} with a loss, p95 took ${slow.toFixed(2)} of the time due`);
  return losses === 0 && slow <= 1.25;
}

/** The streams that came to their end; those that were refused or broke off are missing. */
async function load(gateway: Gateway, upstream: UpstreamProcess, n: number, events: number): Promise<Stream[]> {
  await upstream.answer(events, EVERY_MS);
  const one = async (i: number) => {
    await new Promise((begin) => setTimeout(begin, (i * RAMP_MS) / n));
    return gateway.stream(i);
  };
  const all = await Promise.allSettled(Array.from({ length: n }, (_, i) => one(i)));
  return all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** How many of these streams have a text that is not whole. */
function lost(gateway: Gateway, all: Stream[], events: number): number {
  const whole = Array.from({ length: events }, (_, i) => `piece ${i} `).join('');
  return all.filter((stream) => {
    try {
      return gateway.textOf(stream) !== whole;
    } catch {
      return true;
    }
  }).length;
}
