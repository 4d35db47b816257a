/** More than the largest sketch. One for all writers: a writer is done before the next one begins. */
const ROOM = new DataView(new ArrayBuffer(32 * 1024));

/** Writes numbers one after the other. Throws a `RangeError` beyond 32 KB. */
export class Writer {
  #at = 0;

  u8(value: number): void {
    ROOM.setUint8(this.#at, value);
    this.#at += 1;
  }

  u16(value: number): void {
    ROOM.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  u32(value: number): void {
    ROOM.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  f32(value: number): void {
    ROOM.setFloat32(this.#at, value, true);
    this.#at += 4;
  }

  list<T>(list: readonly T[], write: (one: T) => void): void {
    if (list.length > 255) throw new RangeError('a list of more than 255');
    this.u8(list.length);
    for (let i = 0; i < list.length; i++) write(list[i]!);
  }

  bytes(bytes: Uint8Array): void {
    new Uint8Array(ROOM.buffer).set(bytes, this.#at);
    this.#at += bytes.length;
  }

  done(): Buffer {
    return Buffer.from(new Uint8Array(ROOM.buffer, 0, this.#at));
  }
}

/** Reads what a `Writer` wrote. Throws a `RangeError` where there is nothing left. */
export class Reader {
  #at = 0;
  readonly #view: DataView;

  constructor(private readonly buffer: Buffer) {
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  }

  u8(): number {
    this.#at += 1;
    return this.#view.getUint8(this.#at - 1);
  }

  u16(): number {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }

  u32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  f32(): number {
    this.#at += 4;
    return this.#view.getFloat32(this.#at - 4, true);
  }

  list<T>(read: () => T): T[] {
    const list: T[] = [];
    for (let left = this.u8(); left > 0; left--) list.push(read());
    return list;
  }

  bytes(length: number): Uint8Array {
    if (this.#at + length > this.buffer.length) throw new RangeError('a sketch that is cut short');
    this.#at += length;
    return Uint8Array.from(this.buffer.subarray(this.#at - length, this.#at));
  }
}
