import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { RiskKeys } from '../../../server/risk/keys.ts';
import { type HashKey, hashText, simHash } from '../../../server/risk/observe/hashing.ts';
import { decode } from '../../../server/risk/signals/codec.ts';
import type { Hash, Mark, Observation } from '../../../server/risk/signals/observation.ts';
import { emptySketch, fold } from '../../../server/risk/signals/sketch.ts';
import { SECRET, startServer, type TestServer } from '../../support/server.ts';
import { openTool, type Tool } from '../../support/tools.ts';
import { personaNamed } from '../personas/all.ts';
import { arrivals } from '../traffic/account.ts';
import type { SetName } from '../traffic/parameters.ts';
import { worldOf } from '../trial.ts';
import { canWrite, headOf } from './heads.ts';
import { bodyOf, pathOf, rootOf, textOf } from './words.ts';

export interface Replayed {
  accounts: number;
  /** Days of these accounts. */
  days: number;
  requests: number;
  /** Accounts whose row is not what the same observations make without HTTP, each with the first difference. */
  differences: string[];
}

/** Personas whose clients and ways the replay can write. */
export const REPLAYED = ['devices', 'resale-5', 'header-normaliser', 'resale-10-nginx', 'resale-10-haproxy'];

/** A flush before more wait than the observer keeps of one account. */
const FLUSH_EVERY = 400;

/**
 * Sends simulated accounts through the real HTTP server, with real heads and bodies over real connections, and compares
 * the rows that it writes with sketches made of the same observations directly. `most`: requests of each account.
 */
export async function replay(
  personas: readonly string[],
  set: SetName,
  accounts: number,
  days: number,
  most = Number.POSITIVE_INFINITY,
): Promise<Replayed> {
  const server = await startServer('sqlite');
  const result: Replayed = { accounts: 0, days: 0, requests: 0, differences: [] };
  try {
    for (let seed = 0; seed < accounts; seed++)
      for (const persona of personas) {
        const { requests, difference } = await one(server, persona, set, seed, days, most);
        result.accounts++;
        result.days += days;
        result.requests += requests;
        if (difference !== null) result.differences.push(`${persona} ${seed}: ${difference}`);
      }
  } finally {
    await server.stop();
  }
  return result;
}

async function one(server: TestServer, persona: string, set: SetName, seed: number, days: number, most: number) {
  const account = personaNamed(persona).make(worldOf(persona, set, seed));
  let now = 0;
  server.clock.now = () => now;
  const sockets = new Map<object, Socket>();
  const openings = new Map<Hash, string>();
  const expected = emptySketch();
  let tool: Tool | null = null;
  let key: HashKey | null = null;
  let requests = 0;
  for (const { observation, connection, mark } of arrivals(account, seed % 5, days)) {
    if (requests >= most) break;
    if (!canWrite(observation.client, mark)) continue;
    now = observation.at;
    if (!tool) {
      tool = await openTool(server, { credits: 1_000_000 });
      await server.app.observer.flush();
      const keys = new RiskKeys(server.db, SECRET);
      await keys.refresh(now);
      key = keys.of(tool.accountId, now)[0]!.key;
    }
    const { turn, client } = observation;
    const opening = openings.get(turn.root) ?? textOf(turn);
    openings.set(turn.root, opening);
    const device = client.device === 0 ? null : client.device.toString(16).padStart(64, '0');
    await send(
      server,
      sockets,
      connection,
      observation,
      mark,
      JSON.stringify(bodyOf(turn, opening, device)),
      tool.secret,
    );
    fold(expected, toExpected(observation, opening, device, tool.keyId, key!));
    if (++requests % FLUSH_EVERY === 0) await server.app.observer.flush();
  }
  await server.app.observer.flush();
  for (const one of expected.identities.devices) one.accounts = account.accountsOfDevices;
  for (const socket of sockets.values()) socket.destroy();
  const row = await server.db.read
    .selectFrom('risk_sketch')
    .selectAll()
    .where('account_id', '=', tool!.accountId)
    .executeTakeFirstOrThrow();
  return { requests, difference: differenceOf(decode(Buffer.from(row.state)), expected) };
}

/** The observation that the server should make, by the account's key of this server. */
function toExpected(
  simulated: Observation,
  opening: string,
  device: string | null,
  keyId: string,
  key: HashKey,
): Observation {
  const { client, turn } = simulated;
  const { family, system, architecture, runtime } = client;
  const isSaid = turn.kind === 'human';
  return {
    ...simulated,
    ...{ proof: 0, credential: hashText(key, keyId) },
    // The server has no list of hosting networks.
    transport: { ...simulated.transport, isHosting: false },
    client: {
      ...client,
      fingerprint: hashText(key, `${family} ${system} ${architecture} ${runtime}`),
      device: device === null ? 0 : hashText(key, device),
    },
    turn: {
      ...turn,
      root: hashText(key, rootOf(turn, opening)),
      template: isSaid ? simHash(key, textOf(turn)) : 0,
      paths: turn.paths.map((path) => hashText(key, pathOf(path))),
    },
  };
}

async function send(
  { url }: TestServer,
  sockets: Map<object, Socket>,
  connection: object,
  seen: Observation,
  mark: Mark,
  body: string,
  secret: string,
): Promise<void> {
  const { host, port, hostname } = new URL(url);
  let socket = sockets.get(connection);
  if (!socket || socket.destroyed) {
    socket = connect(Number(port), hostname);
    sockets.set(connection, socket);
  }
  const head = headOf(seen, mark, { host, secret, length: Buffer.byteLength(body) });
  const answer = answered(socket);
  socket.write(head + body);
  const text = await answer;
  assert.match(text, /^HTTP\/1\.[01] 200/, text.slice(0, 400));
}

/** One whole answer: up to the length that its head names, or its last chunk, or the end of the connection. */
function answered(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const done = () => {
      socket.off('data', more).off('end', done).off('error', reject);
      resolve(text);
    };
    const more = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
      if (length !== undefined ? text.length >= end + 4 + Number(length) : text.endsWith('0\r\n\r\n')) done();
    };
    socket.on('data', more).on('end', done).on('error', reject);
  });
}

/** The first member in which two sketches differ by more than the rounding of their rows; null: none. */
function differenceOf(a: unknown, b: unknown, at = 'sketch'): string | null {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b)) ? null : `${at} is ${a}, not ${b}`;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return a === b ? null : `${at} is ${a}, not ${b}`;
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  for (const name of names) {
    const found = differenceOf(
      (a as Record<string, unknown>)[name],
      (b as Record<string, unknown>)[name],
      `${at}.${name}`,
    );
    if (found !== null) return found;
  }
  return null;
}
