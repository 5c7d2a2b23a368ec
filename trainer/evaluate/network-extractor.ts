import { byName, evaluationScope } from '../model/scope.ts';
import type { ModelSpec, SimSiam } from '../model/simsiam.ts';
import { featureDimension } from '../model/resnet.ts';
import { normalizePixels, type PixelNormalization } from '../model/pixels.ts';
import { groupEntries } from '../model/state.ts';
import { TensorList } from '../tensorflow/runtime.ts';
import type { FeatureExtractor, TrainableBackbone } from './extractor.ts';

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
  const dimension = featureDimension(options.spec);
  const extractor = networkExtractor(options, { name, dimension, projected: false });
  return { ...extractor, backbone: trainableBackbone(options, extractor.state) };
}

/** The projector's output z in eval mode, before normalisation: what the effective rank sees. Dispose its `state`. */
export function projectionExtractor(options: NetworkOptions): FeatureExtractor {
  return networkExtractor(options, { name: 'projection', dimension: options.spec.dim, projected: true });
}

/** @param state All of the extractor's. */
function trainableBackbone({ model, spec, ...rest }: NetworkOptions, state: TensorList): TrainableBackbone {
  const { entries } = model.backbone;
  const { trainable, statistics } = groupEntries(entries);
  // The backbone comes first in each group of the network's entries.
  const before = rest.state.trainable.length + rest.state.frozen.length;
  return {
    ...{ entries, trainable, statistics, computeType: computeTypeOf(spec) },
    start: () => ({
      trainable: state.slice(0, trainable.length),
      statistics: state.slice(before, before + statistics.length),
    }),
    features: (scope, images) => model.backbone.apply(scope, [normalizePixels(images, spec.normalize)])[0]!,
  };
}

function computeTypeOf({ precision }: Pick<NetworkOptions['spec'], 'precision'>): TrainableBackbone['computeType'] {
  return precision === 'bf16' ? 'bfloat16' : 'float32';
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
      const scope = evaluationScope(byName(entries, tensors), computeTypeOf(spec));
      const features = model.backbone.apply(scope, [normalizePixels(images, spec.normalize)]);
      return (projected ? model.projector.apply(scope, features) : features)[0]!;
    },
  };
}
