import { broadcast } from '../tensorflow/broadcast.ts';
import type { Runtime, TensorList, TensorSpec } from '../tensorflow/runtime.ts';
import type { PretrainState } from './state.ts';

/** Where a run begins or goes on. */
export interface StartPoint {
  readonly state: PretrainState;
  /** Finished steps. */
  readonly step: number;
}

const STEP: TensorSpec = { dtype: 'float32', shape: [2] };
/** Two float32 numbers hold a step exactly: one alone would up to 2²⁴ only. */
const RADIX = 2 ** 20;

/**
 * Rank 0's start on every rank: one rank reads the checkpoint, and all agree on it by construction.
 * @param own Only rank 0's values count; the others give tensors of the same shapes.
 */
export async function shareStart(runtime: Runtime, own: StartPoint): Promise<StartPoint> {
  if (runtime.world === 1) return own;
  const { trainable, momenta, statistics, frozen } = own.state;
  const lists = [trainable, momenta, statistics, frozen];
  const position = runtime.tensors([
    { spec: STEP, bytes: Float32Array.of(Math.floor(own.step / RADIX), own.step % RADIX) },
  ]);
  const share = runtime.trace('pretrain_start', [...lists.map((list) => list.specs), [STEP]], (...groups) =>
    groups.map((tensors) => broadcast(tensors)),
  );
  const shared = (await share.call([...lists, position])) as [TensorList, TensorList, TensorList, TensorList, TensorList];
  for (const list of [...lists, position]) list.dispose();
  share.dispose();
  const bytes = await shared[4].read(0);
  shared[4].dispose();
  const [high, low] = new Float32Array(bytes.buffer, bytes.byteOffset, 2);
  return {
    state: { trainable: shared[0], momenta: shared[1], statistics: shared[2], frozen: shared[3] },
    step: high! * RADIX + low!,
  };
}
