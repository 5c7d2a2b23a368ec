import { TorchFileError } from './errors.ts';

/** Reads numbers and slices one after the other; going past the end is an error that says so. All little-endian. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at: number;

  /** @param what For messages: `data.pkl`. */
  constructor(bytes: Uint8Array, what: string, at = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#advance(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  i32(): number {
    return this.#bytes.readInt32LE(this.#advance(4));
  }

  /** @throws TorchFileError where it is beyond any file */
  u64(): number {
    const value = this.#bytes.readBigUInt64LE(this.#advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new TorchFileError(`${this.#what} has a size of ${value}`);
    return Number(value);
  }

  /** Big-endian, as pickles have it. */
  f64(): number {
    return this.#bytes.readDoubleBE(this.#advance(8));
  }

  /** A view. */
  take(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Up to the line feed, which is passed. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#cut();
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #advance(length: number): number {
    if (length > this.left) throw this.#cut();
    const start = this.#at;
    this.#at += length;
    return start;
  }

  #cut(): TorchFileError {
    return new TorchFileError(`${this.#what} ends too early: is the file whole?`);
  }
}
