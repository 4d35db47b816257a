// What it costs to observe requests: each is read and hashed at once, and added to a sketch with the others of 10 seconds.
import { randomUUID } from 'node:crypto';
import { createLog } from '../../server/platform/log.ts';
import { DeviceCounts } from '../../server/risk/devices.ts';
import { RiskKeys } from '../../server/risk/keys.ts';
import { factsOfCall } from '../../server/risk/observe/turn.ts';
import { Observer, type Request } from '../../server/risk/observer.ts';
import { encode } from '../../server/risk/signals/codec.ts';
import { emptySketch, fold, type Sketch } from '../../server/risk/signals/sketch.ts';
import { type Flush, findSketch, SketchStore } from '../../server/risk/store.ts';
import { freshBooks, startServer, type TestServer } from '../support/server.ts';
import { openTool } from '../support/tools.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';

const WINDOW_MS = 10_000;
const WINDOWS = 60;
const WARM_UP = 10;
const START = Date.UTC(2026, 10, 2, 9);
/**
 * Active accounts by how many agents work for them at once. An agent asks every 8 s or so: the model answers and a tool
 * runs in between. Assumed, like the lengths below, after the captured requests of four tools.
 */
const CREWS: [accounts: number, agents: number][] = [
  [140, 1],
  [40, 3],
  [20, 8],
];
const ASKS_EVERY_MS = 8_000;
const HEAVY_DAYS = 30;
const ROUNDS = 5;
const CALLS = 60;

export const risk: Measure = {
  name: 'risk',
  about: 'processor time of an observed request, bytes an account, the gateway with and without',
  async run(say) {
    return [...(await observing(say)), await bytesOfHeavy(), ...(await besideTheGateway(say))];
  },
};

/** Requests of agents, through the observer and into an embedded database. */
async function observing(say: (line: string) => void): Promise<Finding[]> {
  const { db, close } = await freshBooks('sqlite');
  try {
    let now = START;
    const keys = new RiskKeys(db, 'a secret of the bench, 32 characters');
    const store = new SketchStore(db);
    let flushes: readonly Flush[] = [];
    const sketches: Pick<SketchStore, 'add'> = {
      add(some, at) {
        flushes = [...flushes, ...some];
        return store.add(some, at);
      },
    };
    const [log, metrics] = [
      createLog('silent'),
      { observed: () => {}, faulted: (work: string) => say(`a fault: ${work}`) },
    ];
    const deps = {
      clock: { now: () => now },
      log,
      metrics,
      node: 'bench',
      keys,
      sketches,
      devices: new DeviceCounts(db),
    };
    const automation = async () => new Map<string, string[]>();
    const observer = new Observer({ ...deps, automation, isOn: true }, { trustedProxies: [], hostingNetworks: [] });
    await observer.begin();
    const agents: Agent[] = [];
    for (const [accounts, crew] of CREWS)
      for (let i = 0; i < accounts; i++) {
        const id = randomUUID();
        const account = { id, kind: 'member' as const, created_at: now, last_active_at: now };
        await db.write((tx) => tx.insertInto('account').values(account).execute());
        for (let n = 0; n < crew; n++) agents.push(new Agent(id, n));
      }
    const random = seeded(1);
    const known = new Map<string, Sketch>();
    const costs: { read: number[]; whole: number[]; sketch: number[]; stored: number[] } = {
      read: [],
      whole: [],
      sketch: [],
      stored: [],
    };
    for (let window = 0; window < WINDOWS; window++) {
      const seen: number[] = [];
      for (const agent of agents)
        for (const at of arrivals(random)) {
          const request = agent.next();
          now = START + window * WINDOW_MS + at;
          const began = process.hrtime.bigint();
          observer.saw(request);
          seen.push(Number(process.hrtime.bigint() - began) / 1_000);
        }
      now = START + (window + 1) * WINDOW_MS;
      flushes = [];
      const stored = await cpuOf(() => observer.flush());
      // The same once more without a database, as a node does it that has the sketches in memory.
      const folded = await cpuOf(() => {
        for (const { accountId, observations } of flushes) {
          const sketch = known.get(accountId) ?? emptySketch();
          known.set(accountId, sketch);
          for (const one of observations) fold(sketch, one);
          encode(sketch);
        }
      });
      if (window < WARM_UP) continue;
      costs.read.push(...seen);
      costs.whole.push(...seen.map((own) => own + folded / seen.length));
      costs.sketch.push(folded / seen.length);
      costs.stored.push(stored / seen.length);
    }
    const bytes: number[] = [];
    for (const id of known.keys()) bytes.push(encode((await findSketch(db.read, id, now))!).length);
    const requests = `${costs.read.length} requests of ${known.size} accounts in ${WINDOWS - WARM_UP} times 10 s`;
    return [
      {
        id: 'risk.request',
        what: 'Observing one request, p50: facts, hashes, and its share of the sketch',
        value: median(costs.whole),
        unit: 'µs of CPU',
        goal: { atMost: 50 },
        note: `${requests}; facts and hashes ${median(costs.read).toFixed(1)}, sketch ${median(costs.sketch).toFixed(1)}`,
      },
      {
        id: 'risk.stored',
        what: 'Adding one request to the database, its share of the flush',
        value: median(costs.stored),
        unit: 'µs of CPU',
        note: 'SQLite; with folding and encoding',
      },
      { id: 'risk.bytes', what: 'A sketch after ten minutes of work, p50', value: median(bytes), unit: 'bytes' },
    ];
  } finally {
    await close();
  }
}

/** When an agent asks in ten seconds. */
function arrivals(random: () => number): number[] {
  const times: number[] = [];
  for (let at = 0; ; ) {
    at += -Math.log(random()) * ASKS_EVERY_MS;
    if (at >= WINDOW_MS) return times;
    times.push(Math.floor(at));
  }
}

/** One agent that reads and edits files of one of two projects, in a conversation that grows. */
class Agent {
  #step = 0;
  #messages: unknown[] = [];
  readonly #socket = { remoteAddress: '203.0.113.7', remotePort: 4711 };
  static readonly #headers = {
    ...{ host: 'perigee.example.org', connection: 'keep-alive', 'content-type': 'application/json', accept: '*/*' },
    ...{ 'user-agent': 'opencode/1.18.33 ai-sdk/provider-utils/4.0.23 runtime/bun/1.3.14', authorization: 'Bearer k' },
    ...{ 'accept-encoding': 'gzip, deflate, br', 'content-length': '31562' },
  };
  static readonly #tools = ['bash', 'edit', 'glob', 'grep', 'read', 'task', 'todowrite', 'webfetch', 'write'].map(
    (name) => ({
      type: 'function',
      function: { name, description: 'x'.repeat(1_000), parameters: {} },
    }),
  );

  constructor(
    readonly accountId: string,
    readonly number: number,
  ) {}

  /** Every twelfth request has a person's text; a conversation has sixty requests. */
  next(): Request {
    const step = this.#step++;
    if (step % 60 === 0) this.#messages = [{ role: 'system', content: 'You are a coding agent. '.repeat(400) }];
    if (step % 12 === 0) {
      if (step % 60 !== 0) this.#messages.push({ role: 'assistant', content: 'Done. The tests pass now.' });
      const text = `Step ${step} of agent ${this.number}: look at how the invoices are made, and say why two of them are sent`;
      this.#messages.push({ role: 'user', content: `${text}, then mend it with a test that fails before.` });
    } else {
      const file = `/home/u/project${this.number % 2}/billing${this.number}/part${(step * 7) % 40}x.ts`;
      const [id, args] = [
        `call_${step}`,
        step % 3 === 0 ? { command: `sed -n '1,80p' ${file}` } : { filePath: file, limit: 80 },
      ];
      const named = { name: 'read', arguments: JSON.stringify(args) };
      this.#messages.push({
        role: 'assistant',
        content: null,
        tool_calls: [{ id, type: 'function', function: named }],
      });
      this.#messages.push({ role: 'tool', tool_call_id: id, content: 'const a = 1;\n'.repeat(200) });
    }
    const body = { model: 'm', messages: [...this.#messages], tools: Agent.#tools };
    const [headers, socket] = [Agent.#headers, this.#socket];
    const incoming = { headers, rawHeaders: Object.entries(headers).flat(), httpVersion: '1.1', socket };
    return {
      accountId: this.accountId,
      credential: 'key',
      installKey: null,
      incoming,
      body,
      turn: () => factsOfCall(body),
    };
  }
}

/** A month of a person with eight agents, sixteen hours a day, in fifteen repositories. */
async function bytesOfHeavy(): Promise<Finding> {
  const sketch = emptySketch();
  const random = seeded(2);
  const some = (n: number) => Math.floor(random() * n);
  let most = 0;
  for (let day = 0; day < HEAVY_DAYS; day++) {
    for (let i = 0; i < 2_000; i++) {
      const project = some(15);
      const isHuman = random() < 0.1;
      fold(sketch, {
        at: START + day * 86_400_000 + i * 28_800,
        ...{ proof: 0, credential: 1 },
        client: {
          ...{ family: 'claude-code', system: 'linux', architecture: 'x64', runtime: 'node' },
          ...{ fingerprint: 11 + some(3), device: 21 + some(3), isImpossible: false },
        },
        transport: {
          ...{ clientsOnConnection: 1, isForwarded: false, isForeignMark: false, isHosting: false },
        },
        turn: {
          kind: isHuman ? 'human' : 'tool',
          root: 1 + day * 1_000 + project * 10 + some(8),
          ...{ isFirst: false, language: isHuman ? 'english' : null, template: isHuman ? 1 + some(2 ** 31) : 0 },
          paths: Array.from({ length: 3 }, () => 1_000_000 + project * 1_000 + some(200)),
        },
      });
    }
    most = Math.max(most, encode(sketch).length);
  }
  return {
    id: 'risk.bytes.heavy',
    what: 'The largest sketch of 30 days with 8 agents and 15 repositories',
    value: most,
    unit: 'bytes',
    goal: { atMost: 20 * 1024 },
  };
}

/** Whole calls, client and model service included, by turns with and without. */
async function besideTheGateway(say: (line: string) => void): Promise<Finding[]> {
  const servers: [on: TestServer, off: TestServer] = [
    await startServer('sqlite', { policy: unlimited }),
    await startServer('sqlite', {
      policy(policy) {
        unlimited(policy);
        policy.risk.observe = false;
      },
    }),
  ];
  try {
    const agent = new Agent('', 0);
    const bodies = Array.from({ length: 60 }, () =>
      JSON.stringify({ ...(agent.next().body as object), model: 'double' }),
    );
    const tools = [await openTool(servers[0], { credits: 1e6 }), await openTool(servers[1], { credits: 1e6 })] as const;
    const rounds: [on: number[], off: number[]] = [[], []];
    for (let round = -1; round < ROUNDS; round++)
      for (const which of [0, 1] as const) {
        const us = await cpuOf(async () => {
          for (let i = 0; i < CALLS; i++) {
            const { status, text } = await tools[which].send(bodies[i % bodies.length]!);
            if (status !== 200) throw new Error(`a call was answered with ${status}: ${text}`);
          }
        });
        if (round >= 0) rounds[which].push(us / CALLS);
      }
    say(`a call with: ${listed(rounds[0], 0)}; without: ${listed(rounds[1], 0)} µs`);
    const [on, off] = [median(rounds[0]), median(rounds[1])];
    return [
      {
        id: 'risk.gateway',
        what: 'A whole JSON call with observing, to one without',
        value: on / off,
        unit: '×',
        note: `${on.toFixed(0)} and ${off.toFixed(0)} µs of CPU, with client and model service in the same process`,
      },
    ];
  } finally {
    for (const server of servers) await server.stop();
  }
}

function unlimited(policy: Parameters<NonNullable<Parameters<typeof startServer>[1]>['policy'] & object>[0]): void {
  const all = { requestsPerMinute: 1e9, modelRequestsPerMinute: 1e9, tokensPerMinute: 1e12 };
  policy.limits.tiers.splice(0, 9, all);
}

/** Microseconds of processor time. */
async function cpuOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
