import type { Clock } from '../platform/clock.ts';
import type { Config } from '../platform/config/config.ts';
import { type Database, isUnavailable } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { DeviceCounts } from './devices.ts';
import { findAutomation } from './flags/store.ts';
import { RiskKeys } from './keys.ts';
import { bodyIdsOf, type ClientClaims, clientOf } from './observe/client.ts';
import { type HashKey, hashText } from './observe/hashing.ts';
import { type Incoming, type TransportOptions, transportReader } from './observe/transport.ts';
import { type TurnFacts, toTurn } from './observe/turn.ts';
import type { Hash, Observation, TransportSeen } from './signals/observation.ts';
import { type Flush, REPEAT_MS, SketchStore } from './store.ts';

/** One admitted request of a member. */
export interface Request {
  accountId: string;
  /** The id of the API key, or of the session. */
  credential: string;
  /** The thumbprint of the install key that has proven the request; null if none has. */
  installKey: string | null;
  incoming: Incoming;
  /** As the client sent it: it may hold an id of the device. */
  body: unknown;
  /** Called by `saw`, and at most once. */
  turn: () => TurnFacts;
}

/** Observations of one account, and of all, that wait for a flush. */
const MOST_OF_ACCOUNT = 512;
const MOST_WAITING = 100_000;
/** Devices of one account that are counted in one flush. */
const MOST_DEVICES = 16;
/** Sketches that are changed in one transaction, and requests that are added to them. In between, answers go on. */
const AT_ONCE = 8;
const REQUESTS_AT_ONCE = 64;

export interface ObserverDeps {
  clock: Clock;
  log: Log;
  metrics: Pick<Metrics, 'observed' | 'faulted'>;
  node: string;
  keys: RiskKeys;
  sketches: Pick<SketchStore, 'add'>;
  devices: Pick<DeviceCounts, 'count'>;
  /** The API keys that these accounts have declared as automation. */
  automation: (accountIds: readonly string[]) => Promise<Map<string, string[]>>;
  /** False: nothing is observed. */
  isOn: boolean;
}

interface Waiting {
  accountId: string;
  /** By period. */
  observations: Map<number, Observation[]>;
  /** Ids of devices that the clients sent. */
  devices: Set<string>;
  count: number;
}

/** A flush with the ids of its devices. It may have failed, perhaps only in the connection after its commit. */
type Unsure = Flush & { since: number; deviceIds: readonly string[] };

/**
 * Sees each admitted request, keeps what it shows in memory for some seconds, and adds it to the sketches. Nothing waits
 * for it, and nothing that it does changes an answer, a charge or a refusal.
 */
export class Observer {
  readonly #read: (incoming: Incoming, accountId: string, client: ClientClaims) => TransportSeen;
  #waiting = new Map<string, Waiting>();
  #count = 0;
  #unsure: Unsure[] = [];
  #number = 0;
  /** The last flush. Each begins when the one before it has ended. */
  #flushing = Promise.resolve();
  /** The first fault since the last flush. A client that causes one may cause a thousand. */
  #fault: unknown;

  constructor(
    private readonly deps: ObserverDeps,
    transport: Omit<TransportOptions, 'now'>,
    private readonly mostWaiting = MOST_WAITING,
  ) {
    this.#read = transportReader({ ...transport, now: () => deps.clock.now() });
  }

  /** Before the first request. Rejects if the database is unavailable. */
  async begin(): Promise<void> {
    if (this.deps.isOn) await this.deps.keys.refresh(this.deps.clock.now());
  }

  /** Takes some 40 µs, and never throws. */
  saw(request: Request): void {
    if (!this.deps.isOn) return;
    try {
      this.#saw(request);
    } catch (error) {
      this.deps.metrics.faulted('risk');
      this.#fault ??= error;
    }
  }

  #saw({ accountId, credential, installKey, incoming, body, turn }: Request): void {
    const { clock, keys, metrics } = this.deps;
    const known = this.#waiting.get(accountId);
    if (this.#count >= this.mostWaiting || (known && known.count >= MOST_OF_ACCOUNT)) {
      metrics.observed('dropped');
      return;
    }
    const at = clock.now();
    const periods = keys.of(accountId, at);
    if (periods.length === 0) {
      metrics.observed('lost');
      return;
    }
    const client = clientOf(incoming.headers, bodyIdsOf(body));
    const seen = { at, client, transport: this.#read(incoming, accountId, client), facts: turn() };
    const waiting = known ?? { accountId, observations: new Map(), devices: new Set<string>(), count: 0 };
    if (client.deviceId !== null && waiting.devices.size < MOST_DEVICES) waiting.devices.add(client.deviceId);
    for (const { period, key } of periods) {
      const observation = toObservation(seen, { credential, installKey }, key);
      const list = waiting.observations.get(period);
      if (list) list.push(observation);
      else waiting.observations.set(period, [observation]);
      this.#count++;
    }
    this.#waiting.set(accountId, waiting);
    waiting.count++;
    metrics.observed('seen');
  }

  /** Adds what waits to the sketches. What fails is tried again by the next flushes for a minute. Never rejects. */
  flush(): Promise<void> {
    const keepFault = (error: unknown) => {
      this.#fault ??= error;
    };
    if (this.deps.isOn) this.#flushing = this.#flushing.then(() => this.#flush()).catch(keepFault);
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    const { clock, log, keys } = this.deps;
    if (this.#fault !== undefined) {
      log.warn({ err: this.#fault }, 'requests were not observed or not stored; their answers are not concerned');
      this.#fault = undefined;
    }
    const now = clock.now();
    await keys.refresh(now).catch((error) => log.warn({ err: error }, 'the keys of the risk signals were not read'));
    // Of two flushes of one account, the earlier one first.
    const flushes = [...this.#unsure, ...this.#take(now)];
    this.#unsure = [];
    const failed = new Set<string>();
    for (let from = 0; from < flushes.length; ) {
      const end = endOfGroup(flushes, from);
      const isThere = await this.#add(flushes.slice(from, end), failed, now);
      from = end;
      // To wait for a database that is not there once is enough.
      if (!isThere) for (const flush of flushes.slice(from)) this.#keep(flush, now);
      if (!isThere) return;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Everything that waits. Of one account there is a flush for each period, all with one number. */
  #take(now: number): Unsure[] {
    const flushes: Unsure[] = [];
    const number = this.#number++;
    for (const { accountId, observations, devices } of this.#waiting.values())
      for (const [period, list] of observations) {
        // The clock may have been set back since.
        for (const one of list) one.at = Math.min(one.at, now);
        const flush = { accountId, period, observations: list, node: this.deps.node, number };
        flushes.push({ ...flush, since: now, deviceIds: [...devices] });
      }
    this.#waiting = new Map();
    return flushes;
  }

  /**
   * `failed`: the accounts of which a flush has failed in this round. A later one must not count before it. False: the
   * database is unavailable.
   */
  async #add(flushes: readonly Unsure[], failed: Set<string>, now: number): Promise<boolean> {
    const isNext = ({ accountId }: Flush) => !failed.has(accountId);
    try {
      await this.#store(flushes.filter(isNext), now);
      for (const flush of flushes) if (isNext(flush)) this.#count -= flush.observations.length;
      for (const flush of flushes) if (!isNext(flush)) this.#keep(flush, now);
      return true;
    } catch (error) {
      // One of them may be at fault for all.
      for (const flush of flushes) {
        try {
          if (isUnavailable(error) || !isNext(flush)) throw error;
          await this.#store([flush], now);
          this.#count -= flush.observations.length;
        } catch (own) {
          failed.add(flush.accountId);
          this.#fault ??= own;
          this.#keep(flush, now);
        }
      }
      return !isUnavailable(error);
    }
  }

  async #store(flushes: readonly Unsure[], now: number): Promise<void> {
    if (flushes.length === 0) return;
    const { automation, keys, sketches } = this.deps;
    // A program's conversation has one prompt. Where that of a declared key goes on, a person does.
    const declared = await automation([...new Set(flushes.map(({ accountId }) => accountId))]);
    for (const { accountId, period, observations } of declared.size === 0 ? [] : flushes) {
      const key = keys.of(accountId, now).find((one) => one.period === period)?.key;
      const credentials = new Set(key && declared.get(accountId)?.map((id) => hashText(key, id)));
      for (const { credential, turn } of observations)
        if (turn.isFirst && credentials.has(credential)) turn.kind = 'machine';
    }
    for (const flush of flushes) flush.devices ??= await this.#devicesOf(flush, now);
    await sketches.add(flushes, now);
  }

  /** How many accounts have the devices of a flush. */
  async #devicesOf({ accountId, period, deviceIds }: Unsure, now: number): Promise<Map<Hash, number>> {
    const { keys, devices } = this.deps;
    const counts = new Map<Hash, number>();
    const own = keys.of(accountId, now).find((one) => one.period === period);
    if (!own) return counts;
    for (const id of deviceIds)
      counts.set(hashText(own.key, id), await devices.count(hashText(own.shared, id), accountId, own, now));
    return counts;
  }

  /** For the next flush, unless it is too old. */
  #keep(flush: Unsure, now: number): void {
    if (now - flush.since < REPEAT_MS) {
      this.#unsure.push(flush);
      return;
    }
    this.#count -= flush.observations.length;
    this.deps.metrics.observed('lost', flush.observations.length);
  }
}

/** The flushes that are added together: at least one. */
function endOfGroup(flushes: readonly Flush[], from: number): number {
  let requests = 0;
  for (let at = from; at < flushes.length && at < from + AT_ONCE; at++) {
    requests += flushes[at]!.observations.length;
    if (at > from && requests > REQUESTS_AT_ONCE) return at;
  }
  return Math.min(flushes.length, from + AT_ONCE);
}

/** The observer of a node, with all that it needs. */
export function observerOf({
  db,
  secret,
  config,
  ...deps
}: Pick<ObserverDeps, 'clock' | 'log' | 'metrics' | 'node'> & {
  db: Database;
  secret: string;
  config: Config;
}): Observer {
  const { risk } = config.policy;
  const [keys, sketches, devices] = [new RiskKeys(db, secret), new SketchStore(db), new DeviceCounts(db)];
  const transport = { trustedProxies: config.trustedProxies, hostingNetworks: risk.hostingNetworks };
  const automation: ObserverDeps['automation'] = (ids) => findAutomation(db.read, ids);
  return new Observer({ ...deps, keys, sketches, devices, automation, isOn: risk.observe }, transport);
}

interface Facts {
  at: number;
  client: ClientClaims;
  transport: TransportSeen;
  facts: TurnFacts;
}

/** The same by an account's key of one period. */
function toObservation(
  { at, client, transport, facts }: Facts,
  { credential, installKey }: Pick<Request, 'credential' | 'installKey'>,
  key: HashKey,
): Observation {
  const { family, system, architecture, runtime, deviceId, isImpossible } = client;
  return {
    at,
    proof: installKey === null ? 0 : hashText(key, installKey),
    credential: hashText(key, credential),
    client: {
      family,
      system,
      architecture,
      runtime,
      isImpossible,
      fingerprint: hashText(key, `${family} ${system} ${architecture} ${runtime}`),
      device: deviceId === null ? 0 : hashText(key, deviceId),
    },
    transport,
    turn: toTurn(facts, key),
  };
}
