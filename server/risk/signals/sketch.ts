import { Clients, clientOf } from './clients.ts';
import { Hours } from './hours.ts';
import { Identities } from './identities.ts';
import type { Observation } from './observation.ts';
import { HOUR_S, leftAfter, seconds } from './time.ts';
import { isTemplated, SILENT_S, type Template, Turns } from './turns.ts';
import { Workspaces } from './workspaces.ts';

/** Requests that showed something, decayed. */
export const COUNTERS = [
  // All requests; a person's turns, and those of them with the proof of an install key.
  ...(['requests', 'turns', 'proven'] as const),
  // On a connection that had carried another client of this account.
  'coalesced',
  // With headers that something on the way added.
  'forwarded',
  ...(['foreign', 'hosting', 'relay'] as const),
] as const;
export type Counter = (typeof COUNTERS)[number];

/** Signals that are events, and so have a first and a last time. */
export const TIMED = ['near', 'coalesced', 'forwarded', 'foreign', 'hosting', 'relay', 'contradicted'] as const;
export type Timed = (typeof TIMED)[number];

/**
 * What is known of how an account is used, in a bounded number of values, whatever its clients send: at most 20 KB when
 * encoded. Counters halve in 7 days.
 */
export interface Sketch {
  firstS: number;
  lastS: number;
  /** The counters were decayed up to here. */
  decayedS: number;
  counters: Record<Counter, number>;
  times: Record<Timed, { firstS: number; lastS: number }>;
  workspaces: Workspaces;
  clients: Clients;
  turns: Turns;
  hours: Hours;
  identities: Identities;
  templates: Template[];
}

export const emptySketch = (): Sketch => ({
  ...{ firstS: 0, lastS: 0, decayedS: 0 },
  counters: Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Sketch['counters'],
  times: Object.fromEntries(TIMED.map((name) => [name, { firstS: 0, lastS: 0 }])) as Sketch['times'],
  workspaces: new Workspaces(),
  clients: new Clients(),
  turns: new Turns(),
  hours: new Hours(),
  identities: new Identities(),
  templates: [],
});

/** Adds one observation. Observations of several nodes may come in some 15 s out of order. Changes `sketch`. */
export function fold(sketch: Sketch, observation: Observation): void {
  const { client, transport, turn } = observation;
  const atS = seconds(observation.at);
  if (sketch.firstS === 0) Object.assign(sketch, { firstS: atS, lastS: atS, decayedS: atS });
  sketch.firstS = Math.min(sketch.firstS, atS);
  sketch.lastS = Math.max(sketch.lastS, atS);
  decay(sketch, atS);

  const count = (counter: Counter, timed?: Timed) => {
    sketch.counters[counter]++;
    if (timed) mark(sketch, timed, atS);
  };
  count('requests');
  if (transport.clientsOnConnection > 1) count('coalesced', 'coalesced');
  if (transport.isForwarded) count('forwarded', 'forwarded');
  if (transport.isForeignMark) count('foreign', 'foreign');
  if (transport.isHosting) count('hosting', 'hosting');
  if (client.family === 'relay') count('relay', 'relay');
  if (sketch.identities.see(observation, atS)) mark(sketch, 'contradicted', atS);

  const silentS = sketch.clients.see(client, atS);
  const root = sketch.workspaces.see(turn.root, turn.kind === 'machine' ? [] : turn.paths, atS);
  // A first message beside other requests may be that of a sub-agent, or a side call of a tool.
  const isPersons =
    turn.kind === 'human' &&
    (!turn.isFirst || silentS > SILENT_S) &&
    !isTemplated(sketch.templates, turn.template, atS);
  if (isPersons) {
    count('turns');
    if (observation.proof !== 0) count('proven');
    // Scheduled jobs begin conversations and never go on.
    if (!turn.isFirst) sketch.hours.add(atS);
    sketch.workspaces.turn(root, clientOf(client), turn.language);
    if (!turn.isFirst) root.followUps = Math.min(255, root.followUps + 1);
    sketch.turns.add({ atS, root: turn.root, client: clientOf(client), isFirst: turn.isFirst });
  }
  settle(sketch);
}

/** Judges the turns that have waited long enough. */
function settle(sketch: Sketch): void {
  const nearS = sketch.turns.judge(sketch, sketch.lastS);
  if (nearS !== null) mark(sketch, 'near', nearS);
}

function mark(sketch: Sketch, timed: Timed, atS: number): void {
  const times = sketch.times[timed];
  times.firstS = times.firstS === 0 ? atS : Math.min(times.firstS, atS);
  times.lastS = Math.max(times.lastS, atS);
}

/** Once an hour: a counter that is up to an hour too high by 0.4 % changes no judgement. */
function decay(sketch: Sketch, atS: number): void {
  const s = atS - sketch.decayedS;
  if (s < HOUR_S) return;
  const left = leftAfter(s);
  sketch.decayedS = atS;
  for (const name of COUNTERS) sketch.counters[name] *= left;
  sketch.workspaces.decay(left);
  sketch.turns.decay(left);
  sketch.identities.decay(left);
}
