import { deserialize, serialize } from 'node:v8';
import { broadcast } from '../tensorflow/broadcast.ts';
import type { Runtime } from '../tensorflow/runtime.ts';

/**
 * Rank 0's value on every rank: plans and small states, so that one rank alone reads the store. All ranks call it at
 * the same place.
 * @param own What can be cloned structurally (typed arrays included); only rank 0's counts.
 */
export async function shareFromRoot<T>(runtime: Runtime, own: T): Promise<T> {
  if (runtime.world === 1) return own;
  // Bytes travel as float32, which holds them exactly: all collectives are of that type.
  const bytes = runtime.rank === 0 ? Float32Array.from(serialize(own)) : new Float32Array(0);
  const [high, low] = await shareFloats(runtime, Float32Array.of(bytes.length >>> 16, bytes.length & 0xffff));
  const size = high! * 0x10000 + low!;
  const shared = await shareFloats(runtime, runtime.rank === 0 ? bytes : new Float32Array(size));
  return deserialize(Uint8Array.from(shared)) as T;
}

async function shareFloats(runtime: Runtime, values: Float32Array): Promise<Float32Array> {
  const spec = { dtype: 'float32', shape: [values.length] } as const;
  const share = runtime.trace('share', [[spec]], (group) => [broadcast(group)]);
  const own = runtime.tensors([{ spec, bytes: values }]);
  const [shared] = await share.call([own]);
  const floats = await shared!.readFloats(0);
  for (const disposable of [own, shared!, share]) disposable.dispose();
  return floats;
}
