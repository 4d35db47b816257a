import type { Hash } from '../../server/risk/signals/observation.ts';
import type { Arrival } from './traffic/account.ts';
import { DAY } from './traffic/day.ts';

/** What three usual rules see of an account, each the largest value of a day. */
export interface BaselineValues {
  /** Different addresses in a day. */
  addresses: number;
  /** Points for devices, countries and addresses in a day, as rule packs add them. */
  points: number;
  /** Requests under way at the same time. */
  atOnce: number;
}

/** Usual thresholds: more than so much is a flag. Of public rule packs, rounded. */
export const BASELINE_LIMITS: BaselineValues = { addresses: 5, points: 60, atOnce: 5 };

export class Baselines {
  readonly values: BaselineValues = { addresses: 0, points: 0, atOnce: 0 };
  #day = 0;
  readonly #addresses = new Set<Hash>();
  readonly #devices = new Set<Hash>();
  readonly #countries = new Set<number>();
  #ends: number[] = [];

  add({ observation, address, country, takes }: Arrival): void {
    const { at, client } = observation;
    const day = Math.floor(at / DAY);
    if (day !== this.#day) {
      this.#day = day;
      for (const set of [this.#addresses, this.#devices, this.#countries]) set.clear();
    }
    this.#addresses.add(address);
    this.#devices.add(client.device || client.fingerprint);
    this.#countries.add(country);
    const [addresses, devices, countries] = [this.#addresses.size, this.#devices.size, this.#countries.size];
    const points = 15 * Math.max(0, devices - 2) + 30 * Math.max(0, countries - 1) + 5 * Math.max(0, addresses - 2);
    if (this.#ends.length > 0 && this.#ends.some((end) => end <= at)) this.#ends = this.#ends.filter((end) => end > at);
    this.#ends.push(at + takes);
    const { values } = this;
    values.addresses = Math.max(values.addresses, addresses);
    values.points = Math.max(values.points, points);
    values.atOnce = Math.max(values.atOnce, this.#ends.length);
  }
}
