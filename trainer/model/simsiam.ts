import type { PretrainSpec } from '../../api/run.ts';
import { sequential, type Layer, type StateEntry } from './layer.ts';
import { batchNorm } from './layers/batch-norm.ts';
import { relu } from './layers/elementwise.ts';
import { linear } from './layers/linear.ts';
import { featureDimension, resnet, type BackboneSpec } from './resnet.ts';

/** The part of the specification that shapes the whole network. */
export type ModelSpec = BackboneSpec & Pick<PretrainSpec, 'dim' | 'predictorDim' | 'projectorLayers'>;

/** f = projector ∘ backbone gives z, the predictor h gives p (SimSiam §3 and figure 1). */
export interface SimSiam {
  /** Images [n, s, s, 3] → features [n, d]. */
  readonly backbone: Layer;
  /** Features [n, d] → z [n, dim]. */
  readonly projector: Layer;
  /** z [n, dim] → p [n, dim]. */
  readonly predictor: Layer;
  /** Everything in `state_dict` order. */
  readonly entries: readonly StateEntry[];
}

/** Where the backbone's entries begin in a checkpoint. */
export const ENCODER = 'encoder.';
const PROJECTOR = `${ENCODER}fc.`;
const PREDICTOR = 'predictor.';

export function simSiam(spec: ModelSpec): SimSiam {
  const backbone = resnet(spec, ENCODER);
  const projector = projectionHead(featureDimension(spec), spec);
  const predictor = predictionHead(spec);
  return {
    backbone,
    projector,
    predictor,
    entries: [...backbone.entries, ...projector.entries, ...predictor.entries],
  };
}

/** Whether an entry takes the predictor's learning rate (constant, where the run fixes it; SimSiam §4.1). */
export function isPredictor(entry: StateEntry): boolean {
  return entry.name.startsWith(PREDICTOR);
}

/**
 * Fully connected layers with batch norm, hidden width that of the features. The last one has a bias that never
 * changes and a batch norm without scale and shift, as upstream.
 */
function projectionHead(width: number, { dim, projectorLayers }: ModelSpec): Layer {
  const hidden = Array.from({ length: projectorLayers - 1 }, (_, i) => [
    linear({ name: `${PROJECTOR}${3 * i}`, inputs: width, outputs: width, bias: 'none' }),
    batchNorm({ name: `${PROJECTOR}${3 * i + 1}`, channels: width }),
    relu,
  ]);
  const last = 3 * (projectorLayers - 1);
  return sequential([
    ...hidden.flat(),
    linear({ name: `${PROJECTOR}${last}`, inputs: width, outputs: dim, bias: 'frozen' }),
    batchNorm({ name: `${PROJECTOR}${last + 1}`, channels: dim, affine: false }),
  ]);
}

/** A bottleneck of two layers without batch norm at its output (SimSiam §3, "Prediction MLP"). */
function predictionHead({ dim, predictorDim }: ModelSpec): Layer {
  return sequential([
    linear({ name: `${PREDICTOR}0`, inputs: dim, outputs: predictorDim, bias: 'none' }),
    batchNorm({ name: `${PREDICTOR}1`, channels: predictorDim }),
    relu,
    linear({ name: `${PREDICTOR}3`, inputs: predictorDim, outputs: dim, bias: 'trainable' }),
  ]);
}
