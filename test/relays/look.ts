import type { IncomingMessage } from 'node:http';
import { FORWARDING } from '../../server/platform/http/proxies.ts';
import { clientOf } from '../../server/risk/observe/client.ts';
import { markOf } from '../../server/risk/observe/marks.ts';
import { transportReader } from '../../server/risk/observe/transport.ts';
import type { TransportSeen } from '../../server/risk/signals/observation.ts';
import { claudeCode, codex, openAiSdk, type Tool } from './people.ts';
import type { Intermediary } from './proxies.ts';
import { openRoute } from './route.ts';

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
const PEOPLE: readonly Tool[] = [
  claudeCode({ system: 'mac', architecture: 'arm64' }, '2.1.332', 'a'.repeat(64)),
  claudeCode({ system: 'windows', architecture: 'x64' }, '2.1.331', 'b'.repeat(64)),
  codex({ system: 'linux', architecture: 'x64' }, 'c'),
  openAiSdk({ system: 'linux', architecture: 'x64' }),
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
export async function look(through: Intermediary | null, edge: string | null): Promise<Sight> {
  const { server, caller, stop } = await openRoute(through, edge);
  try {
    const seen: Seen[] = [];
    const trustedProxies = edge === null ? [] : ['127.0.0.1'];
    const read = transportReader({ trustedProxies, hostingNetworks: [], now: Date.now });
    server.app.server.prependListener('request', (incoming: IncomingMessage) => {
      if (incoming.method !== 'POST') return;
      // Our own edge has written the head.
      const mark = edge === null ? markOf({ raw: incoming.rawHeaders, httpVersion: incoming.httpVersion }) : 'unknown';
      const transport = read(incoming, 'one account', clientOf(incoming.headers));
      seen.push({ transport, mark, headers: Object.keys(incoming.headers) });
    });
    const callers = PEOPLE.map((tool) => ({ tool, caller: caller(tool) }));
    for (let round = 0; round < ROUNDS; round++)
      for (const { tool, caller } of callers) await caller.send(turn(`question ${round}`)[tool.dialect]);
    for (const { caller } of callers) caller.close();
    return sightOf(seen);
  } finally {
    await stop();
  }
}

interface Seen {
  transport: TransportSeen;
  mark: string;
  headers: string[];
}

function sightOf(all: readonly Seen[]): Sight {
  const seen = all.map(({ transport }) => transport);
  const forwarded = all.filter(({ transport }) => transport.isForwarded).flatMap(({ headers }) => headers);
  const kinds = Object.entries(FORWARDING).filter(([, names]) => names.some((name) => forwarded.includes(name)));
  return {
    marks: [...new Set(all.map(({ mark }) => mark))].join(' '),
    leftovers: kinds.map(([name]) => name).join(' ') || 'none',
    clients: Math.max(...seen.map(({ clientsOnConnection }) => clientsOnConnection)),
    foreign: seen.filter(({ isForeignMark }) => isForeignMark).length,
    requests: seen.length,
  };
}
