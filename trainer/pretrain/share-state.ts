import { broadcast } from '../tensorflow/broadcast.ts';
import type { Runtime, TensorList } from '../tensorflow/runtime.ts';
import type { PretrainState } from './state.ts';

/**
 * Rank 0's state on every rank: one rank reads the checkpoint, and all agree on it by construction.
 * @param own Only rank 0's values count; the others give tensors of the same shapes. It is disposed.
 */
export async function shareState(runtime: Runtime, own: PretrainState): Promise<PretrainState> {
  if (runtime.world === 1) return own;
  const lists = [own.trainable, own.momenta, own.statistics, own.frozen, ...(own.probe ? [own.probe] : [])];
  const share = runtime.trace(
    'pretrain_start',
    lists.map((list) => list.specs),
    (...groups) => groups.map((tensors) => broadcast(tensors)),
  );
  const [trainable, momenta, statistics, frozen, probe] = (await share.call(lists)) as [
    ...[TensorList, TensorList, TensorList, TensorList, TensorList?],
  ];
  for (const disposable of [...lists, share]) disposable.dispose();
  return { trainable, momenta, statistics, frozen, ...(probe && { probe }) };
}
