import type { IncomingMessage } from 'node:http';
import { clientOf } from '../../server/risk/observe/client.ts';
import { transportReader } from '../../server/risk/observe/transport.ts';
import { LEFTOVERS, type TransportSeen } from '../../server/risk/signals/observation.ts';
import { startServer } from '../support/server.ts';
import { openTool } from '../support/tools.ts';
import { Caller, claudeCode, codex, openAiSdk, type Tool } from './people.ts';
import { freePort, type Intermediary, startEdge } from './proxies.ts';

/** What the server sees of a proxy, of the requests of all people together. */
export interface Sight {
  /** In the order of the tools below, each once. */
  marks: string;
  leftovers: string;
  /** The most clients that one connection carried. */
  clients: number;
  /** How many of the requests have a mark that is foreign to their client. */
  foreign: number;
  requests: number;
}

/** Four people with a tool each. */
export const PEOPLE: readonly Tool[] = [
  claudeCode('MacOS', '2.1.332', 'a'.repeat(64)),
  claudeCode('Windows', '2.1.331', 'b'.repeat(64)),
  codex('Debian 12.0.0; x86_64'),
  openAiSdk('Linux'),
];
const ROUNDS = 3;
export const MODEL = 'double';

/** A turn in each dialect. */
const turn = (text: string) => ({
  chat: { model: MODEL, messages: [{ role: 'user', content: text }] },
  messages: { model: MODEL, max_tokens: 100, messages: [{ role: 'user', content: text }] },
  responses: { model: MODEL, store: false, input: [{ role: 'user', content: [{ type: 'input_text', text }] }] },
});

/** Lets people call a real server through a proxy (null: directly). `edge`: the Caddyfile in front of the server. */
export async function look(proxy: Intermediary | null, edge: string | null): Promise<Sight> {
  const trustedProxies = edge === null ? [] : ['127.0.0.1'];
  const front = edge === null ? null : await freePort();
  const server = await startServer('sqlite', {
    config(config) {
      config.trustedProxies = trustedProxies;
      if (front !== null) config.publicUrl = `http://127.0.0.1:${front}`;
    },
  });
  const stops = [() => server.stop()];
  try {
    const seen: TransportSeen[] = [];
    const read = transportReader({ trustedProxies, hostingNetworks: [], now: Date.now });
    server.app.server.prependListener('request', (incoming: IncomingMessage) => {
      if (incoming.method === 'POST') seen.push(read(incoming, 'one account', clientOf(incoming.headers)));
    });
    const backend = new URL(server.url).host;
    if (edge !== null) stops.unshift((await startEdge(front!, backend, edge)).stop);
    const host = front === null ? backend : `127.0.0.1:${front}`;
    const { secret: key } = await openTool(server);
    const running = await proxy?.start({ host, key });
    if (running) stops.unshift(running.stop);
    const through = proxy && proxy.kind !== 'relay' && running;
    const callers = PEOPLE.map((tool) => {
      const way = { host, key, headers: running?.headers, port: running?.port ?? Number(host.split(':')[1]) };
      const forward = through && { port: running.port, isTunnel: proxy.kind === 'tunnel', opensTls: running.opensTls };
      return { tool, caller: new Caller(tool, { ...way, through: forward || undefined }) };
    });
    for (let round = 0; round < ROUNDS; round++)
      for (const { tool, caller } of callers) {
        const { status, text } = await caller.send(turn(`question ${round}`)[tool.dialect]);
        if (status !== 200) throw new Error(`${tool.by} got ${status}: ${text.slice(0, 300)}`);
      }
    for (const { caller } of callers) caller.close();
    return sightOf(seen);
  } finally {
    for (const stop of stops) await stop();
  }
}

function sightOf(seen: readonly TransportSeen[]): Sight {
  const bits = seen.reduce((all, { leftovers }) => all | leftovers, 0);
  const names = Object.entries(LEFTOVERS).filter(([, bit]) => bits & bit);
  return {
    marks: [...new Set(seen.map(({ mark }) => mark))].join(' '),
    leftovers: names.map(([name]) => name).join(' ') || 'none',
    clients: Math.max(...seen.map(({ clientsOnConnection }) => clientsOnConnection)),
    foreign: seen.filter(({ isForeignMark }) => isForeignMark).length,
    requests: seen.length,
  };
}
