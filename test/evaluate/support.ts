import type { IndexedBatch } from '../../trainer/evaluate/batches.ts';
import type { FeatureExtractor } from '../../trainer/evaluate/extractor.ts';
import { floatTensors } from '../../trainer/evaluate/tensors.ts';
import { cast } from '../../trainer/tensorflow/raw-op.ts';
import type { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tf } from '../../trainer/tensorflow/tfjs.ts';
import type { CounterRandom } from '../../trainer/random.ts';

/** The side of the images that carry nothing but their index. */
export const imageSize = 2;

/** An extractor that looks up each image's features in a table: images are as {@link imageOf} makes them. */
export function lookup(runtime: Runtime, table: Float32Array, dimension: number, name = 'lookup'): FeatureExtractor {
  const state = floatTensors(runtime, [{ shape: [table.length / dimension, dimension], values: table }]);
  return {
    name,
    dimension,
    state,
    features: ([rows], images) => {
      const pixels = cast(tf.reshape(images, [-1, imageSize * imageSize * 3]), 'float32');
      const index = tf.add(tf.slice(pixels, [0, 0], [-1, 1]), tf.mul(tf.slice(pixels, [0, 1], [-1, 1]), 256));
      const one = tf.oneHot(tf.cast(tf.reshape(index, [-1]), 'int32'), rows!.shape[0]);
      return tf.matMul(tf.cast(one, 'float32'), rows!);
    },
  };
}

/** An image that says which one it is. */
export function imageOf(index: number): Uint8Array {
  const pixels = new Uint8Array(imageSize * imageSize * 3);
  pixels[0] = index & 0xff;
  pixels[1] = index >> 8;
  return pixels;
}

export interface Share {
  readonly batchSize: number;
  readonly rank?: number;
  readonly world?: number;
}

/**
 * A rank's part of the images `order`, in batches that are filled up with padding, as many on every rank. A padding slot
 * shows image 0 with an impossible label.
 */
export function* batches(
  order: ArrayLike<number>,
  labelOf: (index: number) => number,
  share: Share,
): Generator<IndexedBatch> {
  const { batchSize, rank = 0, world = 1 } = share;
  const steps = Math.ceil(order.length / (batchSize * world));
  for (let step = 0; step < steps; step++) {
    const slots = Array.from({ length: batchSize }, (_, i) => order[(step * world + rank) * batchSize + i]);
    yield {
      images: Buffer.concat(slots.map((index) => imageOf(index ?? 0))),
      labels: Int32Array.from(slots, (index) => (index === undefined ? -1 : labelOf(index))),
      mask: Uint8Array.from(slots, (index) => (index === undefined ? 0 : 1)),
      indices: Int32Array.from(slots, (index) => index ?? -1),
    };
  }
}

/** The same as an asynchronous loader gives it. */
export async function* loader(...args: Parameters<typeof batches>): AsyncGenerator<IndexedBatch> {
  yield* batches(...args);
}

export function normals(random: CounterRandom, length: number, std = 1): Float32Array {
  const values = new Float32Array(length);
  random.fillNormal(values, std);
  return values;
}

export function close(actual: number, expected: number, tolerance: number): boolean {
  return Math.abs(actual - expected) <= tolerance;
}
