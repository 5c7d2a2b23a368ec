import { byName, evaluationScope } from '../model/scope.ts';
import type { ModelSpec, SimSiam } from '../model/simsiam.ts';
import { featureDimension } from '../model/resnet.ts';
import { normalizePixels, type PixelNormalization } from '../model/pixels.ts';
import { groupEntries } from '../model/state.ts';
import { TensorList } from '../tensorflow/runtime.ts';
import type { FeatureExtractor } from './extractor.ts';

/** A network's tensors in TensorFlow's layout, in the order of their entries. */
export interface NetworkState {
  readonly trainable: TensorList;
  readonly frozen: TensorList;
  readonly statistics: TensorList;
}

interface NetworkOptions {
  readonly model: SimSiam;
  readonly spec: ModelSpec & { readonly precision: 'fp32' | 'bf16'; readonly normalize: PixelNormalization };
  readonly state: NetworkState;
}

/** The pooled features of the backbone in eval mode: what kNN and linear evaluation see. Dispose its `state`. */
export function backboneExtractor(options: NetworkOptions, name = 'backbone'): FeatureExtractor {
  return networkExtractor(options, { name, dimension: featureDimension(options.spec), projected: false });
}

/** The projector's output z in eval mode, before normalisation: what the effective rank sees. Dispose its `state`. */
export function projectionExtractor(options: NetworkOptions): FeatureExtractor {
  return networkExtractor(options, { name: 'projection', dimension: options.spec.dim, projected: true });
}

function networkExtractor(
  { model, spec, state }: NetworkOptions,
  { name, dimension, projected }: { name: string; dimension: number; projected: boolean },
): FeatureExtractor {
  const { trainable, frozen, statistics } = groupEntries(model.entries);
  const entries = [...trainable, ...frozen, ...statistics];
  return {
    name,
    dimension,
    state: TensorList.concat([state.trainable, state.frozen, state.statistics]),
    features: (tensors, images) => {
      const scope = evaluationScope(byName(entries, tensors), spec.precision === 'bf16' ? 'bfloat16' : 'float32');
      const features = model.backbone.apply(scope, [normalizePixels(images, spec.normalize)]);
      return (projected ? model.projector.apply(scope, features) : features)[0]!;
    },
  };
}
