import {
  ARCHITECTURES,
  type ClientSeen,
  FAMILIES,
  type Hash,
  type Observation,
  RUNTIMES,
  SYSTEMS,
} from './observation.ts';
import { type Days, dayOf, MINUTE_S, markDay } from './time.ts';
import { indexOfLeast } from './workspaces.ts';

// Signal 11: contradictions within one claimed identity. A device that is Windows, then a Mac, then Windows again within
// minutes is two devices with one id, or a client that makes its claims up.

/** Devices that are remembered. */
export const MOST_DEVICES = 16;
/** Claims that change back and forth faster than a person changes an installation. */
const OSCILLATION_S = 10 * MINUTE_S;

export const CONTRADICTIONS = ['oscillates', 'impossible', 'foreign'] as const;
/** `oscillates`: system, architecture or runtime of a device go back and forth. `impossible`: claims exclude each other.
 * `foreign`: another library wrote the request than the claimed client uses. */
export type Contradiction = (typeof CONTRADICTIONS)[number];

export interface Device {
  device: Hash;
  /** What it claims now, and what it claimed before, as numbers. */
  claims: number;
  before: number;
  changedS: number;
  lastS: number;
  /** How many accounts have a device of this id, about, at most 255; 0: not known. */
  accounts: number;
}

export interface Contradicted {
  /** Requests, decayed. */
  times: number;
  days: Days;
  /** Which client did so last: an index of `FAMILIES`. */
  family: number;
}

export class Identities {
  devices: Device[] = [];
  contradictions = CONTRADICTIONS.map((): Contradicted => ({ times: 0, days: { day: 0, bits: 0 }, family: 0 }));

  see({ client, transport }: Pick<Observation, 'client' | 'transport'>, atS: number): boolean {
    const found = [this.#oscillates(client, atS), client.isImpossible, transport.isForeignMark];
    found.forEach((is, i) => {
      if (!is) return;
      const one = this.contradictions[i]!;
      one.times++;
      one.family = FAMILIES.indexOf(client.family);
      if (one.days.day === 0) one.days.day = dayOf(atS);
      markDay(one.days, atS);
    });
    return found[0]! || found[1]!;
  }

  decay(left: number): void {
    for (const one of this.contradictions) one.times *= left;
  }

  /** Whether a device's claims went back to what they were some minutes ago, in a way that no one machine does. */
  #oscillates(client: ClientSeen, atS: number): boolean {
    const { device } = client;
    if (device === 0) return false;
    const claims = claimsOf(client);
    const known = this.devices.find((one) => one.device === device);
    if (!known) {
      if (this.devices.length >= MOST_DEVICES)
        this.devices.splice(
          indexOfLeast(this.devices, (one) => one.lastS),
          1,
        );
      this.devices.push({ device, claims, before: 0, changedS: 0, lastS: atS, accounts: 0 });
      return false;
    }
    known.lastS = Math.max(known.lastS, atS);
    if (known.claims === claims) return false;
    const isBack = known.before === claims && atS - known.changedS <= OSCILLATION_S && exclude(known.claims, claims);
    known.before = known.claims;
    known.claims = claims;
    known.changedS = atS;
    return isBack;
  }
}

const claimsOf = ({ system, architecture, runtime }: ClientSeen) =>
  (SYSTEMS.indexOf(system) * ARCHITECTURES.length + ARCHITECTURES.indexOf(architecture)) * RUNTIMES.length +
  RUNTIMES.indexOf(runtime);

/**
 * Whether one machine can't be both. A container or WSL shares the device id of its host through a mounted home folder:
 * Linux beside another system is no contradiction. Neither is another architecture (Rosetta), nor another program.
 */
function exclude(one: number, other: number): boolean {
  const systemOf = (claims: number) => SYSTEMS[Math.floor(claims / RUNTIMES.length / ARCHITECTURES.length)]!;
  const systems = [systemOf(one), systemOf(other)];
  return systems.includes('windows') && systems.includes('mac');
}
