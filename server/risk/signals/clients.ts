import { ARCHITECTURES, type ClientSeen, type Hash, SYSTEMS } from './observation.ts';
import { indexOfLeast } from './workspaces.ts';

// Which clients an account has. A client is an installation: its device id, or what it claims to be if it sends none.

export const MOST_CLIENTS = 32;

export interface Client {
  client: Hash;
  /** The kind of machine that it claims: a system and an architecture; 0: it names no system. */
  machine: number;
  isDevice: boolean;
  lastS: number;
}

export const clientOf = ({ device, fingerprint }: Pick<ClientSeen, 'device' | 'fingerprint'>): Hash =>
  device || fingerprint;

export class Clients {
  list: Client[] = [];

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
    });
    return Number.POSITIVE_INFINITY;
  }

  find(client: Hash): Client | undefined {
    return this.list.find((one) => one.client === client);
  }
}

const machineOf = ({ system, architecture }: ClientSeen): number =>
  system === 'unknown' ? 0 : SYSTEMS.indexOf(system) * ARCHITECTURES.length + ARCHITECTURES.indexOf(architecture);

/** At most this many groups on machines of one kind count: the others may be containers or tools of one person. */
const MOST_OF_ONE_KIND = 2;

export interface Link<Work> {
  clients: readonly Hash[];
  work: Work;
}

export interface Group<Work> {
  clients: Set<Hash>;
  works: Set<Work>;
}

/** The groups of clients and projects that share nothing. */
export function connect<Work>(links: readonly Link<Work>[]): Group<Work>[] {
  const groups: Group<Work>[] = [];
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
  return groups;
}

/**
 * How many of the groups count. Those on one kind of machine count twice at most, and those that name no system not at
 * all.
 */
export function countGroups(groups: readonly Group<unknown>[], clients: Clients): number {
  const kinds = new Map<number, number>();
  for (const group of groups) {
    const claimed = [...group.clients].map((client) => clients.find(client)?.machine ?? 0);
    const kind = claimed.find((one) => one > 0);
    if (kind !== undefined) kinds.set(kind, Math.min(MOST_OF_ONE_KIND, (kinds.get(kind) ?? 0) + 1));
  }
  return [...kinds.values()].reduce((sum, count) => sum + count, 0);
}
