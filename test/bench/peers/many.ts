// 100, 300 and 600 streams at once through each gateway: whether they are kept up, and what memory each one takes.
import { loadavg } from 'node:os';
import type { Stream } from '../gateways.ts';
import { type Finding, quantile } from '../numbers.ts';
import { proved, readers } from './load.ts';
import { DIRECT, type Peer, type Peers } from './peers.ts';
import { cpuSeconds, membersOf, memoryKb } from './use.ts';

const COUNTS = [100, 300, 600];
const PIECES = 64;
/** 20 events a second: at 50, the clients and the service alone would fill two cores with 600 streams. */
const EVERY_MS = 50;
const RAMP_MS = 1000;

interface Held {
  /** How long the slowest twentieth took, of the time that its events are sent in. */
  slowness: number;
  kbPerStream: number;
  /** Of the gateway, for an event. */
  cpuMicros: number;
}

export async function manyStreams({ upstream, all }: Peers, say: (line: string) => void): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const count of COUNTS)
    for (const peer of all) {
      const held = await hold(upstream, peer, count);
      const isKept = held.slowness <= 1.25;
      const late = `the slowest twentieth took ${held.slowness.toFixed(2)} of the time due`;
      const cost = peer.name === DIRECT ? '' : `, ${held.cpuMicros.toFixed(0)} µs an event`;
      const note = `${isKept ? 'kept up' : 'NOT KEPT UP'}: ${late}${cost}; load ${loadavg()[0]!.toFixed(1)}`;
      say(`${count} streams, ${peer.name}: ${note}; ${held.kbPerStream.toFixed(0)} KB a stream`);
      findings.push({
        ...{ id: `many-${count}-${peer.name}`, what: `  ${count} streams, memory of each, ${peer.name}` },
        ...{ value: held.kbPerStream, unit: 'KB', note },
      });
    }
  return findings;
}

/** Rejects if any event is lost. */
async function hold(upstream: Peers['upstream'], peer: Peer, count: number): Promise<Held> {
  const pids = peer.pid === null ? [] : membersOf(peer.pid);
  await upstream.answer(PIECES, EVERY_MS);
  const [idle, before] = [memoryKb(pids), cpuSeconds(pids)];
  let most = idle;
  const watching = setInterval(() => {
    most = Math.max(most, memoryKb(pids));
  }, 100);
  let streams: Stream[];
  try {
    streams = await readers(peer, count, 1, RAMP_MS);
  } finally {
    clearInterval(watching);
  }
  const used = cpuSeconds(pids) - before;
  await proved(upstream, peer, streams, PIECES);
  // From the sending on: a stream that has to wait for its beginning isn't kept up either.
  const slowness = streams.map(({ sentAt, lastTextAt }) => (lastTextAt - sentAt) / ((PIECES - 1) * EVERY_MS));
  return {
    slowness: quantile(slowness, 0.95),
    kbPerStream: (most - idle) / count,
    cpuMicros: (used * 1e6) / (count * PIECES),
  };
}
