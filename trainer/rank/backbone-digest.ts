import { sha256 } from '../../storage/sha256.ts';
import type { SimSiam } from '../model/simsiam.ts';
import { StateCodec, type PretrainState } from '../pretrain/state.ts';
import type { Runtime } from '../tensorflow/runtime.ts';

/** SHA-256 of the backbone's weights and statistics: what a linear evaluation is of. */
export async function backboneDigest(runtime: Runtime, model: SimSiam, state: PretrainState): Promise<string> {
  const { weights } = await new StateCodec(runtime, model).values(state);
  const names = model.backbone.entries.filter(({ role }) => role !== 'counter').map(({ name }) => name);
  return await sha256(names.map((name) => weights.get(name)!));
}
