/** 32 bits that differ in about half of all places for two numbers next to each other (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

export interface LogNormal {
  median: number;
  /** Standard deviation of the logarithm. */
  sigma: number;
}

/** Repeatable random numbers: sfc32 by Chris Doty-Humphrey (PractRand), seeded by `mix`. The same seed gives the same numbers. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;
  /** Box and Muller give two normal numbers at a time. */
  #spare: number | null = null;

  constructor(...seeds: number[]) {
    const seed = seeds.reduce((sum, one) => mix(sum ^ mix(one + 0x9e3779b9)), 0x243f6a88);
    this.#a = mix(seed);
    this.#b = mix(seed + 1);
    this.#c = mix(seed + 2);
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** 32 bits. */
  bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A hash of something that occurs once: never 0. */
  hash(): number {
    return this.bits() || 1;
  }

  /** A generator of its own, so that what one part draws does not move what another part gets. */
  fork(): Random {
    return new Random(this.bits(), this.bits());
  }

  /** From 0 up to, but not including, 1. */
  uniform(): number {
    return this.bits() / 4_294_967_296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A whole number from 0 up to, but not including, `count`. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  normal(mean = 0, deviation = 1): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return mean + deviation * spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return mean + deviation * radius * Math.cos(angle);
  }

  logNormal({ median, sigma }: LogNormal): number {
    return median * Math.exp(sigma * this.normal());
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  poisson(mean: number): number {
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count++;
    return count;
  }

  /** An index of these weights. */
  weighted(weights: readonly number[]): number {
    let rest = this.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < weights.length; i++) {
      rest -= weights[i]!;
      if (rest < 0) return i;
    }
    return weights.length - 1;
  }

  /** A key of these shares. */
  share<T extends string>(shares: Partial<Record<T, number>>): T {
    const names = Object.keys(shares) as T[];
    return names[this.weighted(names.map((name) => shares[name]!))]!;
  }

  /** An index below `count`, most often the first ones: the i-th weighs about 1 / (i + 1), by the inverse of its integral. */
  zipf(count: number): number {
    return Math.min(count - 1, Math.floor((count + 1) ** this.uniform()) - 1);
  }
}
