/**
 * Randomness from counters. Every draw of the trainer is a pure function of (seed, purpose, place), so a batch, an
 * augmentation or an initial weight doesn't depend on how many threads or ranks there are, or on a restart.
 *
 * Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */

/** The first word of every stream. A number never changes its meaning: old checkpoints resume with it. */
export const purpose = {
  /** Order of the samples. */
  order: 1,
  /** Parameters of the augmentations. */
  augment: 2,
  /** Which sample stands in for an unreadable one. */
  replacement: 3,
  /** Initial weights. */
  init: 4,
  /** Which samples a bank, a split or a probe takes. */
  subset: 5,
  /** Initial weights of the linear classifier. */
  linearHead: 6,
} as const;

const multiplierA = 0xd2511f53;
const multiplierB = 0xcd9e8d57;
const weylA = 0x9e3779b9;
const weylB = 0xbb67ae85;
const rounds = 10;

/** The upper 32 bits of a 32 × 32-bit product. JavaScript has only the lower ones (`Math.imul`). */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const cross = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (cross >>> 16)) | 0;
}

function philoxInto(
  out: Uint32Array,
  key0: number,
  key1: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  for (let round = 0; round < rounds; round++) {
    const highA = multiplyHigh(multiplierA, c0);
    const highB = multiplyHigh(multiplierB, c2);
    const lowA = Math.imul(multiplierA, c0);
    const lowB = Math.imul(multiplierB, c2);
    c0 = highB ^ c1 ^ key0;
    c1 = lowB;
    c2 = highA ^ c3 ^ key1;
    c3 = lowA;
    key0 = (key0 + weylA) | 0;
    key1 = (key1 + weylB) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** Four 32-bit words: the Philox4x32-10 block of a 64-bit key and a 128-bit counter (least significant word first). */
export function philox(
  key: readonly [number, number],
  counter: readonly [number, number, number, number],
): [number, number, number, number] {
  const out = new Uint32Array(4);
  philoxInto(out, key[0], key[1], counter[0], counter[1], counter[2], counter[3]);
  return [out[0] ?? 0, out[1] ?? 0, out[2] ?? 0, out[3] ?? 0];
}

/**
 * An independent sequence for each (seed, stream). `stream` is any number of whole numbers below 2³²:
 * a `purpose`, then the place (epoch, sample index, view, …).
 *
 * The stream is hashed by Philox itself, three words a block with the number of words left in the fourth; the last
 * block gives the key and half of the counter of the sequence.
 */
export class CounterRandom {
  readonly #words = new Uint32Array(4);
  readonly #key0: number;
  readonly #key1: number;
  readonly #counter2: number;
  readonly #counter3: number;
  #block = 0;
  #next = 4;
  #spareNormal: number | undefined;

  constructor(seed: number, ...stream: number[]) {
    const words = this.#words;
    let key0 = seed | 0;
    let key1 = Math.floor(seed / 0x1_0000_0000) | 0;
    let at = 0;
    do {
      philoxInto(words, key0, key1, stream[at] ?? 0, stream[at + 1] ?? 0, stream[at + 2] ?? 0, stream.length - at);
      key0 = words[0] ?? 0;
      key1 = words[1] ?? 0;
      at += 3;
    } while (at < stream.length);
    this.#key0 = key0;
    this.#key1 = key1;
    this.#counter2 = words[2] ?? 0;
    this.#counter3 = words[3] ?? 0;
  }

  #word(): number {
    if (this.#next === 4) {
      const high = Math.floor(this.#block / 0x1_0000_0000);
      philoxInto(this.#words, this.#key0, this.#key1, this.#block | 0, high | 0, this.#counter2, this.#counter3);
      this.#block += 1;
      this.#next = 0;
    }
    return this.#words[this.#next++] ?? 0;
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 0x400_0000 + low) / 0x20_0000_0000_0000;
  }

  /** Uniform in [low, high). */
  range(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A whole number of 0 … n − 1. */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /**
   * Standard normal. By Marsaglia's polar method: the sine and cosine of Box–Muller differ in the last bit between
   * versions of V8, and logarithm and square root don't.
   */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square > 0 && square < 1) {
        const scale = Math.sqrt((-2 * Math.log(square)) / square);
        this.#spareNormal = y * scale;
        return x * scale;
      }
    }
  }

  /** Fills with uniform draws of [low, high), rounded to float32. */
  fillUniform(target: Float32Array, low: number, high: number): void {
    for (let i = 0; i < target.length; i++) target[i] = this.range(low, high);
  }

  /** Fills with normal draws of mean 0. */
  fillNormal(target: Float32Array, standardDeviation: number): void {
    for (let i = 0; i < target.length; i++) target[i] = this.normal() * standardDeviation;
  }

  /** 0 … n − 1 in random order (Fisher–Yates). */
  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      const j = this.integer(i + 1);
      order[i] = order[j] ?? 0;
      order[j] = i;
    }
    return order;
  }
}
