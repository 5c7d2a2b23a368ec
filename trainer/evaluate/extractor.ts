import type { Scope, StateEntry } from '../model/layer.ts';
import { normalizePixels, type PixelNormalization } from '../model/pixels.ts';
import type { Runtime, TensorList } from '../tensorflow/runtime.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';

/**
 * What turns images into features inside a graph: a backbone in eval mode, trained or not, the projector's output, or
 * the bare pixels. kNN, linear evaluation and the effective rank know no more than this.
 */
export interface FeatureExtractor {
  /**
   * Part of the names of the graph functions it is traced into, of letters, digits and `_`. Extractors of one name and
   * the same shapes differ in their state only.
   */
  readonly name: string;
  /** Features an image. */
  readonly dimension: number;
  /** Weights and statistics, native; the extractor's owner disposes them. */
  readonly state: TensorList;
  /** While tracing: `state` as symbolic tensors and images uint8 [n, s, s, 3] → float32 [n, dimension]. */
  features(state: readonly Tensor[], images: Tensor): Tensor;
  /** What can be trained on together with a classifier; absent where nothing can. */
  readonly backbone?: TrainableBackbone;
}

/** The network behind an extractor's features. */
export interface TrainableBackbone {
  /** Its entries with the counters, in `state_dict` order. */
  readonly entries: readonly StateEntry[];
  /** Those of these roles, in the order of the lists below. */
  readonly trainable: readonly StateEntry[];
  readonly statistics: readonly StateEntry[];
  readonly computeType: Scope['computeType'];
  /** The values that the extractor has, shared with its `state`; whoever asks disposes them. */
  start(): { readonly trainable: TensorList; readonly statistics: TensorList };
  /** While tracing: in the scope's mode, images uint8 [n, s, s, 3] → float32 [n, dimension]. */
  features(scope: Scope, images: Tensor): Tensor;
}

/** The baseline without any network: normalised pixels, flattened. */
export function rawPixels(
  runtime: Runtime,
  options: { imageSize: number; normalize: PixelNormalization },
): FeatureExtractor {
  const dimension = options.imageSize * options.imageSize * 3;
  return {
    name: 'raw_pixels',
    dimension,
    state: runtime.tensors([]),
    features: (_state, images) => tf.reshape(normalizePixels(images, options.normalize), [-1, dimension]),
  };
}
