import { allReduceSum } from '../tensorflow/collectives.ts';
import type { Runtime } from '../tensorflow/runtime.ts';
import { disposing, floatTensors } from './tensors.ts';
import { tracedOnce } from './traced-once.ts';

/** Adds up the same counts over all ranks; exact up to 2²⁴. Every rank must call it. */
export async function sumsOverRanks(runtime: Runtime, name: string, counts: readonly number[]): Promise<number[]> {
  if (runtime.world === 1) return [...counts];
  const shape = [counts.length];
  return disposing(async (keep) => {
    const inputs = [[{ dtype: 'float32', shape }]] as const;
    const sum = tracedOnce(runtime, `sums_${name}`, inputs, (counts) => [allReduceSum(counts)]);
    const [sums] = await sum.call([keep(floatTensors(runtime, [{ shape, values: Float32Array.from(counts) }]))]);
    return [...(await keep(sums!).readFloats(0))];
  });
}
