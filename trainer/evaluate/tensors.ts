import type { Runtime, TensorList, TensorSpec } from '../tensorflow/runtime.ts';
import type { BatchShape } from './batches.ts';

/** A float32 tensor on the JavaScript side. */
export interface FloatArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The batch's images as a graph function takes them. */
export function imageSpec({ batchSize, imageSize }: BatchShape): TensorSpec {
  return { dtype: 'uint8', shape: [batchSize, imageSize, imageSize, 3] };
}

/** Copies float32 arrays into TensorFlow. */
export function floatTensors(runtime: Runtime, arrays: readonly FloatArray[]): TensorList {
  return runtime.tensors(arrays.map(({ shape, values }) => ({ spec: { dtype: 'float32', shape }, bytes: values })));
}

interface Disposable {
  dispose(): void;
}

/** Frees at once what a computation holds: native memory is not what a garbage collector waits for. */
export async function disposing<T>(run: (keep: <D extends Disposable>(owned: D) => D) => Promise<T>): Promise<T> {
  const owned: Disposable[] = [];
  try {
    return await run((item) => {
      owned.push(item);
      return item;
    });
  } finally {
    for (const item of owned.reverse()) item.dispose();
  }
}
