/** More than the largest sketch. One for all writers: a writer is done before the next one begins. */
const ROOM = Buffer.allocUnsafe(32 * 1024);

/** Writes numbers one after the other. Throws a `RangeError` beyond 32 KB. */
export class Writer {
  #at = 0;

  u8(value: number): void {
    this.#at = ROOM.writeUInt8(value, this.#at);
  }

  u16(value: number): void {
    this.#at = ROOM.writeUInt16LE(value, this.#at);
  }

  u32(value: number): void {
    this.#at = ROOM.writeUInt32LE(value >>> 0, this.#at);
  }

  f32(value: number): void {
    this.#at = ROOM.writeFloatLE(value, this.#at);
  }

  list<T>(list: readonly T[], write: (one: T) => void): void {
    this.u8(list.length);
    list.forEach(write);
  }

  bytes(bytes: Uint8Array): void {
    ROOM.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  done(): Buffer {
    return Buffer.from(ROOM.subarray(0, this.#at));
  }
}

/** Reads what a `Writer` wrote. Throws a `RangeError` where there is nothing left. */
export class Reader {
  #at = 0;

  constructor(private readonly buffer: Buffer) {}

  u8(): number {
    this.#at += 1;
    return this.buffer.readUInt8(this.#at - 1);
  }

  u16(): number {
    this.#at += 2;
    return this.buffer.readUInt16LE(this.#at - 2);
  }

  u32(): number {
    this.#at += 4;
    return this.buffer.readUInt32LE(this.#at - 4);
  }

  f32(): number {
    this.#at += 4;
    return this.buffer.readFloatLE(this.#at - 4);
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.u8() }, read);
  }

  bytes(length: number): Uint8Array {
    if (this.#at + length > this.buffer.length) throw new RangeError('a sketch that is cut short');
    this.#at += length;
    return Uint8Array.from(this.buffer.subarray(this.#at - length, this.#at));
  }
}
