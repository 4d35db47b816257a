// Perigee's /v1/chat/completions beside nginx, a plain proxy in Node and Portkey's gateway, in front of the same service and
// with the same clients. Perigee holds and settles credits in a database on the disk; the others keep no accounts.
import { loadavg } from 'node:os';
import { addedToFirst } from '../firstToken.ts';
import { type Finding, listed, type Measure, median, quantile } from '../numbers.ts';
import { allAtOnce, oneByOne, proved, readers } from './load.ts';
import { manyStreams } from './many.ts';
import { DIRECT, PERIGEE, type Peer, type Peers, PORTKEY, startPeers } from './peers.ts';
import { cpuSeconds, membersOf } from './use.ts';

const ROUNDS = 5;
/** Clients at once, each with an account of its own. */
const PARALLEL = 32;
const JSON_MS = 2000;
const CALLS = 100;
/** Tokens of an answer. */
const PIECES = 64;
const EVERY_MS = 20;

/** What one round saw of one way to the service. Times are ms. */
interface Round {
  /** Of single requests, one after the other. */
  single: number[];
  perSecond: number;
  /** Of the requests at once. */
  crowded: number[];
  /** Processor time of the gateway for a request, in µs. */
  cpu: number;
  /** To the first token of a stream, above the service's own. */
  first: number[];
  /** The same for a stream of 64 tokens, in µs. */
  streamCpu: number;
}

export const peers: Measure = {
  name: 'peers',
  about: '/v1/chat/completions beside nginx, a plain proxy and Portkey’s gateway',
  async run(say) {
    const started = await startPeers(PARALLEL);
    try {
      for (const line of started.absences) say(`SKIPPED: ${line}`);
      const rounds = await inTurn(started, say);
      return [...told(started, rounds), ...(await manyStreams(started, say))];
    } finally {
      await started.stop();
    }
  },
};

/** Rounds of all in turn, so that what else the machine does meets all; each round begins with another. */
async function inTurn({ upstream, all }: Peers, say: (line: string) => void): Promise<Map<string, Round[]>> {
  const rounds = new Map<string, Round[]>(all.map(({ name }) => [name, []]));
  for (let i = 0; i <= ROUNDS; i++) {
    const from = i % all.length;
    for (const peer of [...all.slice(from), ...all.slice(0, from)]) {
      const round = await measured(upstream, peer);
      // In the first round code is compiled and connections are opened.
      if (i === 0) continue;
      rounds.get(peer.name)!.push(round);
      const { perSecond, single, first } = round;
      const times = `alone p50 ${median(single).toFixed(2)} ms, first token + ${median(first).toFixed(2)} ms`;
      say(`${i}. ${peer.name}: ${perSecond.toFixed(0)} requests/s, ${times}; load ${loadavg()[0]!.toFixed(1)}`);
    }
  }
  return rounds;
}

async function measured(upstream: Peers['upstream'], peer: Peer): Promise<Round> {
  const pids = peer.pid === null ? [] : membersOf(peer.pid);
  await upstream.answer(PIECES, EVERY_MS);
  const single = await oneByOne(peer, CALLS);
  await proved(upstream, peer, single, PIECES);

  await upstream.answer(PIECES, EVERY_MS);
  const before = cpuSeconds(pids);
  const { answers, ms } = await allAtOnce(peer, PARALLEL, JSON_MS);
  const used = cpuSeconds(pids) - before;
  await proved(upstream, peer, answers, PIECES);

  await upstream.answer(PIECES, EVERY_MS);
  const beforeStreams = cpuSeconds(pids);
  const streams = await readers(peer, PARALLEL, 2, PIECES * EVERY_MS);
  const usedByStreams = cpuSeconds(pids) - beforeStreams;
  const bill = await proved(upstream, peer, streams, PIECES);
  return {
    single: single.map((answer) => answer.ms),
    perSecond: (answers.length * 1000) / ms,
    crowded: answers.map((answer) => answer.ms),
    cpu: (used * 1e6) / answers.length,
    first: streams.map((stream) => addedToFirst(stream, bill.get(stream.mark)!)),
    streamCpu: (usedByStreams * 1e6) / streams.length,
  };
}

function told({ all, absences }: Peers, rounds: Map<string, Round[]>): Finding[] {
  const [service, portkey, perigee] = [DIRECT, PORTKEY, PERIGEE].map((name) => rounds.get(name));
  const gateways = all.filter(({ pid }) => pid !== null);
  const each = (peer: Peer, of: (round: Round) => number) => rounds.get(peer.name)!.map(of);
  const pooled = (peer: Peer, of: (round: Round) => number[]) => rounds.get(peer.name)!.flatMap(of);
  /** Above the service's own median of the same round. */
  const added = (round: Round, i: number) => median(round.single) - median(service![i]!.single);

  const beside = (id: string, what: string, of: (round: Round, i: number) => number, goal?: Finding['goal']) => {
    if (!portkey) return [];
    const ratios = perigee!.map((round, i) => of(round, i) / of(portkey[i]!, i));
    return [{ id, what, value: median(ratios), unit: '×', goal, note: `middle of ${listed(ratios, 2)}` }];
  };
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  return [
    ...absences.map((note, i) => ({ id: `absent-${i}`, what: 'SKIPPED', value: Number.NaN, unit: '', note })),
    ...beside('json-rate', `JSON requests/s, ${PARALLEL} at once, Perigee, of Portkey’s`, (r) => r.perSecond, {
      atLeast: 4,
    }),
    ...beside('json-added', 'added time of a JSON request, p50, Perigee, of Portkey’s', added, { atMost: 0.6 }),
    ...beside('json-cpu', 'processor time of a JSON request, Perigee, of Portkey’s', (r) => r.cpu),
    ...beside('first-added', 'added time to the first token, p50, Perigee, of Portkey’s', (r) => median(r.first)),
    ...all.map((peer) => {
      const rates = each(peer, (round) => round.perSecond);
      const times = pooled(peer, (round) => round.crowded);
      const waited = `p50 ${ms(quantile(times, 0.5))}, p99 ${ms(quantile(times, 0.99))}`;
      return {
        ...{ id: `json-rate-${peer.name}`, what: `  JSON, ${PARALLEL} at once, ${peer.name}` },
        ...{ value: median(rates), unit: 'requests/s', note: `${waited}; middle of ${listed(rates, 0)}` },
      };
    }),
    ...all.map((peer) => {
      const times = pooled(peer, (round) => round.single);
      const above = rounds.get(peer.name)!.map(added);
      const whole = `the whole p50 ${ms(quantile(times, 0.5))}, p99 ${ms(quantile(times, 0.99))}`;
      return {
        ...{ id: `json-added-${peer.name}`, what: `  JSON, one at a time, added p50, ${peer.name}` },
        ...{ value: median(above), unit: 'ms', note: `${whole}; middle of ${listed(above, 2)}` },
      };
    }),
    ...gateways.map((peer) => {
      const [cpu, streamCpu] = [each(peer, (round) => round.cpu), each(peer, (round) => round.streamCpu)];
      const note = `${median(streamCpu).toFixed(0)} µs for a stream of ${PIECES} tokens; middle of ${listed(cpu, 0)}`;
      return {
        ...{ id: `json-cpu-${peer.name}`, what: `  processor time of a JSON request, ${peer.name}` },
        ...{ value: median(cpu), unit: 'µs', note },
      };
    }),
    ...all.map((peer) => {
      const firsts = each(peer, (round) => median(round.first));
      const worst = quantile(
        pooled(peer, (round) => round.first),
        0.99,
      );
      return {
        ...{ id: `first-added-${peer.name}`, what: `  first token, ${PARALLEL} streams, added p50, ${peer.name}` },
        ...{ value: median(firsts), unit: 'ms', note: `p99 ${ms(worst)}; middle of ${listed(firsts, 2)}` },
      };
    }),
  ];
}
