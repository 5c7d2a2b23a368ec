import type { Dataset } from './dataset.ts';
import type { DecodedImage } from './decode-image.ts';

/** Shared memory of a cache; passes to a worker thread as it is. */
export interface CacheMemory {
  /** For each image where it lies in the arena, in units of `unit`, plus one; 0 if it isn't there. */
  readonly places: Int32Array;
  /** The first free unit. */
  readonly cursor: Int32Array;
  readonly arena: Uint8Array;
}

const unit = 16;
/** Before the pixels: width and height. */
const headerBytes = 16;
const mostBytes = 256 * 2 ** 20;
/** Above this the pixels aren't worth their memory. */
const mostPixelsOfAnImage = 96 * 96;

const memories = new WeakMap<Dataset, CacheMemory>();

/**
 * The decoded small images of a data set, for all its loaders and their threads. Decoding a 28-pixel PNG costs twenty
 * times what augmenting it does. The system gives memory to the arena only as it fills.
 */
export function cacheMemoryOf(dataset: Dataset): CacheMemory {
  let memory = memories.get(dataset);
  if (memory === undefined) {
    const bytes = Math.min(mostBytes, dataset.size * (headerBytes + mostPixelsOfAnImage * 3));
    memory = {
      places: new Int32Array(new SharedArrayBuffer(dataset.size * 4)),
      cursor: new Int32Array(new SharedArrayBuffer(4)),
      arena: new Uint8Array(new SharedArrayBuffer(Math.ceil(bytes / unit) * unit)),
    };
    memories.set(dataset, memory);
  }
  return memory;
}

/** Once it is so, it stays so. */
export function isCached({ places }: CacheMemory, index: number): boolean {
  return Atomics.load(places, index) !== 0;
}

/** The cached image, which stays valid. */
export function cachedImage({ places, arena }: CacheMemory, index: number): DecodedImage | undefined {
  const place = Atomics.load(places, index);
  if (place === 0) return undefined;
  const at = (place - 1) * unit;
  const [width = 0, height = 0] = new Int32Array(arena.buffer, at, 2);
  return {
    pixels: arena.subarray(at + headerBytes, at + headerBytes + width * height * 3),
    width,
    height,
    slow: false,
  };
}

/** Keeps an image if it is small, was slow to decode and fits. Two threads may keep the same one: only space is lost. */
export function keepImage({ places, cursor, arena }: CacheMemory, index: number, image: DecodedImage): void {
  const { width, height, pixels } = image;
  if (!image.slow || width * height > mostPixelsOfAnImage) return;
  const units = Math.ceil((headerBytes + width * height * 3) / unit);
  const capacity = arena.length / unit;
  if (Atomics.load(cursor, 0) + units > capacity) return;
  const place = Atomics.add(cursor, 0, units);
  if (place + units > capacity) return;
  new Int32Array(arena.buffer, place * unit, 2).set([width, height]);
  arena.set(pixels.subarray(0, width * height * 3), place * unit + headerBytes);
  Atomics.store(places, index, place + 1);
}
