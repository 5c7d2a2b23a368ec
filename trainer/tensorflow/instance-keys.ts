import { TracingError } from './errors.ts';

const positions = 2 ** 16;
const functions = 2 ** 15 - 1;

/**
 * Hands out collective instance keys that are the same on every rank: a function's number follows from its name, a
 * collective's key from that number and its position in the function.
 */
export class InstanceKeys {
  readonly #owners = new Map<number, string>();

  /** Reserves the keys of a function. Throws {@link TracingError} if its name hashes like an earlier one's. */
  reserve(name: string): (position: number) => number {
    const number = 1 + (fnv1a(name) % functions);
    const owner = this.#owners.get(number);
    if (owner !== undefined) {
      throw new TracingError(
        `The collectives of ${name} would get the keys of those of ${owner}; rename one of the two`,
      );
    }
    this.#owners.set(number, name);
    return (position) => {
      if (position >= positions) throw new TracingError(`${name} has more than ${positions} collectives; split it`);
      return number * positions + position;
    };
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
