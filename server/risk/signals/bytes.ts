/** Writes numbers one after the other. */
export class Writer {
  #buffer = Buffer.allocUnsafe(4096);
  #at = 0;

  u8(value: number): void {
    this.#buffer[this.#room(1)] = value;
  }

  u16(value: number): void {
    this.#buffer.writeUInt16LE(value, this.#room(2));
  }

  u32(value: number): void {
    this.#buffer.writeUInt32LE(value >>> 0, this.#room(4));
  }

  f32(value: number): void {
    this.#buffer.writeFloatLE(value, this.#room(4));
  }

  list<T>(list: readonly T[], write: (one: T) => void): void {
    this.u8(list.length);
    list.forEach(write);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
  }

  done(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#at));
  }

  #room(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#buffer.length) this.#buffer = Buffer.concat([this.#buffer, Buffer.alloc(this.#buffer.length)]);
    return at;
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
