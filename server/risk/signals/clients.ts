import { HOURS } from './hours.ts';
import { ARCHITECTURES, type ClientSeen, type Hash, SYSTEMS } from './observation.ts';
import { HOUR_S } from './time.ts';
import { indexOfLeast } from './workspaces.ts';

// Which clients an account has. A client is an installation: its device id, or what it claims to be if it sends none.

export const MOST_CLIENTS = 24;
/** A bit for each of the last 168 hours. */
export const HOUR_BYTES = HOURS / 8;

export interface Client {
  client: Hash;
  /** Its system and architecture, as a number; 0: it does not claim a system. */
  machine: number;
  isDevice: boolean;
  lastS: number;
  /** In which of the last 168 hours a person wrote there; hour `h` is bit `h % 168`. */
  hours: Uint8Array;
}

const machineOf = ({ system, architecture }: Pick<ClientSeen, 'system' | 'architecture'>): number =>
  SYSTEMS.indexOf(system) * ARCHITECTURES.length + (system === 'unknown' ? 0 : ARCHITECTURES.indexOf(architecture));

export const clientOf = ({ device, fingerprint }: Pick<ClientSeen, 'device' | 'fingerprint'>): Hash =>
  device || fingerprint;

export class Clients {
  list: Client[] = [];
  /** The newest hour since 1970 in `hours`. */
  lastHour = 0;

  /** Returns for how many seconds the client had been silent; infinite if it is new. */
  see(seen: ClientSeen, atS: number): number {
    const client = clientOf(seen);
    const known = this.find(client);
    if (known) {
      const silentS = Math.max(0, atS - known.lastS);
      known.machine = machineOf(seen);
      known.lastS = Math.max(known.lastS, atS);
      return silentS;
    }
    if (this.list.length >= MOST_CLIENTS)
      this.list.splice(
        indexOfLeast(this.list, ({ lastS }) => lastS),
        1,
      );
    this.list.push({
      client,
      machine: machineOf(seen),
      isDevice: seen.device !== 0,
      lastS: atS,
      hours: new Uint8Array(HOUR_BYTES),
    });
    return Number.POSITIVE_INFINITY;
  }

  /** A person's turn. */
  turn(client: Hash, atS: number): void {
    const hour = Math.floor(atS / HOUR_S);
    for (let h = Math.max(this.lastHour + 1, hour - HOURS + 1); h <= hour; h++)
      for (const one of this.list) one.hours[(h % HOURS) >> 3]! &= ~(1 << (h % 8));
    this.lastHour = Math.max(this.lastHour, hour);
    const known = this.find(client);
    if (known && hour > this.lastHour - HOURS) known.hours[(hour % HOURS) >> 3]! |= 1 << (hour % 8);
  }

  find(client: Hash): Client | undefined {
    return this.list.find((one) => one.client === client);
  }
}

interface Link {
  clients: readonly Hash[];
  work: unknown;
}

/** Groups of clients that share no project. */
function groupsIn(links: readonly Link[]): Set<Hash>[] {
  const groups: { clients: Set<Hash>; works: Set<unknown> }[] = [];
  for (const { clients: linked, work } of links) {
    const group = { clients: new Set(linked), works: new Set([work]) };
    for (let i = groups.length - 1; i >= 0; i--) {
      const other = groups[i]!;
      if (!other.works.has(work) && !linked.some((client) => other.clients.has(client))) continue;
      for (const client of other.clients) group.clients.add(client);
      for (const one of other.works) group.works.add(one);
      groups.splice(i, 1);
    }
    groups.push(group);
  }
  return groups.map((group) => group.clients);
}

/** At most this many groups of one kind of machine count: the others may be containers or tools of one person. */
const MOST_OF_ONE_KIND = 2;

/**
 * How many groups of clients share no project. Those of one system and architecture count twice at most, and those that
 * claim none not at all.
 */
export function groupsOf(links: readonly Link[], clients: Clients): number {
  const kinds = new Map<number, number>();
  for (const group of groupsIn(links)) {
    const machines = [...group].map((client) => clients.find(client)?.machine ?? 0);
    const kind = machines.find((machine) => machine > 0);
    if (kind !== undefined) kinds.set(kind, Math.min(MOST_OF_ONE_KIND, (kinds.get(kind) ?? 0) + 1));
  }
  return [...kinds.values()].reduce((sum, count) => sum + count, 0);
}

/**
 * All groups of clients that share no project, and how often two of them are at work in the same hour, as a multiple of
 * what is expected of groups that know nothing of each other. Containers of one person are at work together (4 and
 * more: a person sleeps for all of them), a person's machines one after the other (0). Null: too few hours to say.
 */
export function rhythmOf(
  links: readonly Link[],
  clients: Clients,
  observedHours: number,
): { groups: number; together: number | null } {
  const active = groupsIn(links)
    .map((group) => {
      const hours = new Uint8Array(HOUR_BYTES);
      for (const client of group)
        for (const [i, byte] of clients.find(client)?.hours.entries() ?? []) hours[i]! |= byte;
      return hours;
    })
    .filter((hours) => bitsIn(hours) > 0);
  let [met, expected] = [0, 0];
  for (let i = 1; i < active.length; i++)
    for (let j = 0; j < i; j++) {
      met += bitsIn(active[i]!.map((byte, at) => byte & active[j]![at]!));
      expected += (bitsIn(active[i]!) * bitsIn(active[j]!)) / Math.min(HOURS, Math.max(1, observedHours));
    }
  return { groups: active.length, together: expected < LEAST_EXPECTED ? null : met / expected };
}

/** Meetings that must be expected before their number says something. */
const LEAST_EXPECTED = 4;

function bitsIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) for (let bits = byte; bits !== 0; bits &= bits - 1) count++;
  return count;
}
