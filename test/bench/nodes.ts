// Several nodes on one PostgreSQL: what a second node adds, how soon a dead node's answers are ended, and what readers that
// wait cost.
import http from 'node:http';
import { cpus } from 'node:os';
import { Client } from '../support/client.ts';
import { at, memoryOf, Nodes } from '../support/nodes.ts';
import { stopPostgres } from '../support/postgres.ts';
import { freshDatabase, type ServerProcess } from '../support/server.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';

const LOAD_MS = 5_000;
const ROUNDS = 3;
const AT_ONCE = 48;
const TAILS = 10_000;
const LEASE_MS = 15_000;

export const nodes: Measure = {
  name: 'nodes',
  about: 'two nodes beside one, recovery after a death, and readers that wait',
  async run(say) {
    try {
      return [...(await beside(say)), await recovery(say), await waiting(say)];
    } finally {
      await stopPostgres();
    }
  },
};

const manyNodes = async (env: Record<string, string> = {}) =>
  Nodes.on((await freshDatabase('postgres')).url, undefined, { LEASE_MS: `${LEASE_MS}`, LOG_LEVEL: 'info', ...env });

async function beside(say: (line: string) => void): Promise<Finding[]> {
  const world = await manyNodes();
  try {
    const both = [await world.start(), await world.start()];
    const guests = await Promise.all(Array.from({ length: AT_ONCE }, () => Client.guest(both[0]!.url)));
    const findings: Finding[] = [];
    for (const [what, isStream, pieces] of [
      ['requests', false, 4],
      ['streams of 50 events', true, 50],
    ] as const) {
      world.double.usually({ pieces: Array.from({ length: pieces }, (_, n) => `word${n} `) });
      const ratios: number[] = [];
      const allowed: number[] = [];
      for (let round = 0; round <= ROUNDS; round++) {
        const one = await load([both[0]!], guests, isStream);
        const two = await load(both, guests, isStream);
        if (round === 0) continue;
        say(`${what}: ${one.perSecond.toFixed(0)}/s at one node, ${two.perSecond.toFixed(0)}/s at two`);
        ratios.push(two.perSecond / one.perSecond);
        allowed.push(cpus().length / one.busyCores);
      }
      const room = median(allowed);
      findings.push({
        id: `two-nodes-${isStream ? 'streams' : 'requests'}`,
        what: `${what} a second at two nodes, of one node’s`,
        value: median(ratios),
        unit: '×',
        // Clients, the model service and PostgreSQL run on the same cores.
        ...(room >= 1.6 ? { goal: { atLeast: 1.6 } } : {}),
        note: `middle of ${listed(ratios, 2)}; the ${cpus().length} cores allowed ${room.toFixed(2)} × at most: with one node, ${(cpus().length / room).toFixed(1)} of them were busy${room >= 1.6 ? '' : ' (the goal of 1.6 × needs more cores)'}`,
      });
    }
    return findings;
  } finally {
    await world.end();
  }
}

/** Calls as tools do, for a while: how many were answered in a second, and how many cores of the machine were busy. */
async function load(targets: ServerProcess[], guests: Client[], stream: boolean) {
  const agent = new http.Agent({ keepAlive: true });
  const body = JSON.stringify({ model: 'double', stream, messages: [{ role: 'user', content: 'a question' }] });
  const began = performance.now();
  const busyBefore = busyMs();
  let answers = 0;
  await Promise.all(
    guests.map(async ({ token }, n) => {
      for (let turn = n; performance.now() - began < LOAD_MS; turn++) {
        await call(`${targets[turn % targets.length]!.url}/v1/chat/completions`, agent, token, body);
        answers++;
      }
    }),
  );
  const ms = performance.now() - began;
  agent.destroy();
  return { perSecond: answers / (ms / 1000), busyCores: (busyMs() - busyBefore) / ms };
}

function busyMs(): number {
  return cpus().reduce((all, { times }) => all + times.user + times.sys + times.nice + times.irq, 0);
}

function call(url: string, agent: http.Agent, token: string, body: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asked = http.request(url, { method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume();
      response.on('end', resolve);
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function recovery(say: (line: string) => void): Promise<Finding> {
  const world = await manyNodes();
  try {
    const other = await world.start();
    const seconds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const owner = await world.start();
      const guest = await Client.guest(owner.url);
      const gate = world.double.script({ pieces: ['one ', 'two'], gateAt: 1 });
      const request = guest.chat('to be cut off');
      await guest.start(request);
      await gate.atGate;
      const reading = at(other, guest).events(request.id);
      const killedAt = performance.now();
      await owner.kill();
      await reading;
      seconds.push((performance.now() - killedAt) / 1000);
      say(`the other node ended the answer ${seconds.at(-1)!.toFixed(1)} s after the death of its owner`);
    }
    return {
      id: 'recovery-time',
      what: `from an owner’s death to the end of its answer, LEASE_MS ${LEASE_MS}`,
      value: Math.max(...seconds),
      unit: 's',
      goal: { atMost: (2 * LEASE_MS) / 1000 },
      note: `longest of ${listed(seconds)}`,
    };
  } finally {
    await world.end();
  }
}

async function waiting(say: (line: string) => void): Promise<Finding> {
  const world = await manyNodes();
  const agent = new http.Agent({ maxSockets: Number.POSITIVE_INFINITY });
  try {
    const owner = await world.start();
    const other = await world.start();
    const guest = await Client.guest(owner.url);
    const gate = world.double.script({ pieces: ['one ', 'two'], gateAt: 1 });
    const request = guest.chat('for many');
    await guest.start(request);
    await gate.atGate;
    const before = memoryOf(other.pid);
    for (let n = 0; n < TAILS; n += 100)
      await Promise.all(Array.from({ length: 100 }, () => openTail(other, guest, request.id, agent)));
    const mb = memoryOf(other.pid) - before;
    say(
      `${TAILS.toLocaleString('en')} tails of one answer: ${mb.toFixed(0)} MB more, ${((1024 * mb) / TAILS).toFixed(1)} KB each`,
    );
    return {
      id: 'idle-tails',
      what: `memory for ${TAILS.toLocaleString('en')} tails that wait at one node`,
      value: mb,
      unit: 'MB',
      goal: { atMost: 500 },
      note: `${((1024 * mb) / TAILS).toFixed(1)} KB each, from ${before.toFixed(0)} MB`,
    };
  } finally {
    agent.destroy();
    await world.end();
  }
}

/** Resolves once the first event has come. The stream stays open. */
function openTail(node: ServerProcess, guest: Client, runId: string, agent: http.Agent): Promise<void> {
  const headers = { authorization: `Bearer ${guest.token}` };
  return new Promise((resolve, reject) => {
    const asked = http.get(`${node.url}/api/runs/${runId}/events`, { agent, headers }, (response) => {
      response.on('data', () => resolve());
      response.on('error', () => {});
    });
    asked.on('error', reject);
  });
}
