import { createHash } from 'node:crypto';
import { createLog } from '../../server/platform/log.ts';
import { judgeDue } from '../../server/risk/flags/judging.ts';
import { openFlags } from '../../server/risk/flags/store.ts';
import { type Judgement, judge } from '../../server/risk/score/judge.ts';
import type { Hash } from '../../server/risk/signals/observation.ts';
import { findSketch } from '../../server/risk/store.ts';
import { heavy, several } from '../sim/personas/parts.ts';
import { DAY, Days, HOUR, type Sent } from '../sim/traffic/day.ts';
import { type Person, somePerson, type World } from '../sim/traffic/person.ts';
import { customersTools, someDevice } from '../sim/traffic/tools.ts';
import { worldOf } from '../sim/trial.ts';
import type { Tool as Account } from '../support/tools.ts';
import { openTool } from '../support/tools.ts';
import { MODEL } from './look.ts';
import { type Caller, claudeCode, codex, openAiSdk, type Tool } from './people.ts';
import type { Intermediary } from './proxies.ts';
import { openRoute, type Route } from './route.ts';
import { Turns } from './turns.ts';

/** Simulated people, and whose accounts they use. */
export interface Crowd {
  name: string;
  people(world: World): Person[];
  /** Each has an account of their own. */
  hasOwnAccounts?: boolean;
}

export const RESALE: Crowd = {
  name: 'twenty people on one account',
  people: (world) =>
    Array.from({ length: 20 }, () => {
      const person = somePerson(world);
      const device = someDevice(world.parameters, world.random);
      person.prompts *= world.parameters.resaleIntensity;
      return { ...person, seats: customersTools(world.set, world.random).map((tool) => ({ tool, device })) };
    }),
};
export const HEAVY: Crowd = {
  name: 'one person, 8 agents in 15 repositories, 16 hours a day',
  people: (world) => [{ ...somePerson(world), ...heavy(world) }],
};
export const DEVICES: Crowd = {
  name: 'one person with three machines and three tools',
  people: (world) => [{ ...somePerson(world), ...several(world) }],
};
export const OFFICE: Crowd = {
  name: 'five people with an account each',
  people: (world) => Array.from({ length: 5 }, () => somePerson(world)),
  hasOwnAccounts: true,
};

/** Without the results of tools that another one follows: it names the same files, and some more. */
function telling(all: readonly Sent[]): Sent[] {
  const following = new Map<Hash, Sent>();
  return all
    .toReversed()
    .filter((sent) => {
      const { root, kind } = sent.turn;
      const next = following.get(root);
      following.set(root, sent);
      return kind !== 'tool' || next?.turn.kind !== 'tool';
    })
    .toReversed();
}

/** What became of one account. */
export interface Outcome {
  /** The server has flagged it. */
  isFlagged: boolean;
  /** The highest judgement, by verdict and then by nats. */
  judgement: Judgement;
  /** Hours after its first request. */
  hours: number;
  requests: number;
}

const DAYS = 3;
/** As long as the server keeps idle connections (app.ts). */
const KEEP_ALIVE_MS = 75_000;
const RANK = { clean: 0, not_enough: 1, sharing: 2 };

/** Lets people work for three days. Resolves with the outcome of each account, the highest first. */
export async function letWork(crowd: Crowd, through: Intermediary | null, edge: string | null, seed: number) {
  const route = await openRoute(through, edge, (policy) => {
    const most = { requestsPerMinute: 1e6, modelRequestsPerMinute: 1e6, tokensPerMinute: 1e9 };
    policy.limits.tiers = policy.limits.tiers.map(() => most);
  });
  try {
    const world = worldOf(`relays: ${crowd.name}`, 'B', seed);
    const people = crowd.people(world);
    const accounts = [route.account];
    if (crowd.hasOwnAccounts)
      for (const _ of people.slice(1)) accounts.push(await openTool(route.server, { credits: 1_000_000 }));
    const work = new Work(route, crowd.hasOwnAccounts ? accounts : people.map(() => route.account));
    await work.run(people.map((person, i) => new Days(world, person, i)));
    return [...work.outcomes.values()].sort((a, b) => rankOf(b) - rankOf(a));
  } finally {
    await route.stop();
  }
}

const rankOf = ({ judgement }: Outcome) => 1_000 * RANK[judgement.verdict] + judgement.lambda;

class Work {
  readonly outcomes = new Map<string, Outcome>();
  readonly #route: Route;
  readonly #accounts: readonly Account[];
  readonly #callers = new Map<string, { caller: Caller; tool: Tool }>();
  readonly #turns = new Turns(MODEL);
  /** Monday at midnight. */
  readonly #start: number;
  #sent = 0;
  #lastAt = 0;

  constructor(route: Route, accounts: readonly Account[]) {
    this.#route = route;
    this.#accounts = accounts;
    this.#start = Math.ceil(route.server.clock.now() / (7 * DAY)) * 7 * DAY + 4 * DAY;
  }

  async run(sources: readonly Days[]): Promise<void> {
    const all = [0, 1, 2, 3].flatMap((day) => sources.flatMap((source) => source.day(day)));
    all.sort((a, b) => a.at - b.at);
    const work = telling(all);
    const begin = work[0]?.at ?? 0;
    let hour = 0;
    for (const sent of work) {
      for (; sent.at >= begin + (hour + 1) * HOUR; hour++) await this.#judge(begin + (hour + 1) * HOUR, hour + 1);
      if (hour >= 24 * DAYS || this.#isFlagged) break;
      await this.#send(sent);
    }
    for (const { caller } of this.#callers.values()) caller.close();
  }

  async #send({ at, turn, from: { seat, number } }: Sent): Promise<void> {
    const { server } = this.#route;
    this.#setClock(at);
    const name = `${number} ${seat.tool.name} ${seat.device.id}`;
    const known = this.#callers.get(name) ?? this.#open(seat, number);
    this.#callers.set(name, known);
    if (at - this.#lastAt > KEEP_ALIVE_MS) server.app.server.closeIdleConnections();
    this.#lastAt = at;
    const body = this.#turns.body(turn, known.tool.dialect);
    // A proxy may have sent it into a connection that was just closed. Tools try again, too.
    await known.caller.send(body).catch(() => known.caller.send(body));
    // The observer keeps 512 of an account between two flushes.
    if (++this.#sent % 200 === 0) await server.app.observer.flush();
  }

  #open({ tool: { family }, device }: Sent['from']['seat'], number: number) {
    const { system, architecture, id } = device as typeof device & Parameters<typeof codex>[0];
    const machine = { system, architecture };
    // Each tool makes its own.
    const deviceId = createHash('sha256').update(`${family} ${id}`).digest('hex');
    const tool =
      family === 'claude-code'
        ? claudeCode(machine, '2.1.332', deviceId)
        : family === 'codex'
          ? codex(machine, deviceId)
          : openAiSdk(machine);
    return { tool, caller: this.#route.caller(tool, this.#accounts[number]) };
  }

  get #isFlagged(): boolean {
    return [...this.outcomes.values()].some(({ isFlagged }) => isFlagged);
  }

  #setClock(at: number): void {
    const { clock } = this.#route.server;
    clock.advance(this.#start + at - clock.now());
  }

  /** As the server's jobs do. */
  async #judge(at: number, hours: number): Promise<void> {
    const { db, app, clock } = this.#route.server;
    this.#setClock(at);
    await app.observer.flush();
    await judgeDue({ db, log: createLog('silent'), isFlagging: true }, clock.now());
    const flags = await openFlags(db.read, 100);
    for (const { accountId } of new Set(this.#accounts)) {
      const sketch = await findSketch(db.read, accountId, clock.now());
      if (!sketch) continue;
      const judgement = judge(sketch, { isDeclared: false });
      const isFlagged = flags.some((flag) => flag.accountId === accountId && flag.kind === 'sharing');
      const outcome = { isFlagged, judgement, hours, requests: this.#sent };
      const before = this.outcomes.get(accountId);
      if (!before || isFlagged || rankOf(outcome) > rankOf(before)) this.outcomes.set(accountId, outcome);
    }
  }
}
