import { predictionHead, projectionHead, type HeadSpec } from './heads.ts';
import type { Layer, StateEntry } from './layer.ts';
import { featureDimension, resnet, type BackboneSpec } from './resnet.ts';

/** The part of the specification that shapes the whole network. */
export type ModelSpec = BackboneSpec & HeadSpec;

/** f = projector ∘ backbone gives z, the predictor h gives p (SimSiam §3 and figure 1). */
export interface SimSiam {
  /** Images [n, s, s, 3] → features [n, d]. */
  readonly backbone: Layer;
  /** Features [n, d] → z [n, dim]. */
  readonly projector: Layer;
  /** z [n, dim] → p [n, dim]. */
  readonly predictor: Layer;
  /** Features of z and p. */
  readonly dim: number;
  /** Everything in `state_dict` order. */
  readonly entries: readonly StateEntry[];
}

/** Where the backbone's entries begin in a checkpoint. */
export const ENCODER = 'encoder.';
const PROJECTOR = `${ENCODER}fc.`;
const PREDICTOR = 'predictor.';

export function simSiam(spec: ModelSpec): SimSiam {
  const backbone = resnet(spec, ENCODER);
  const projector = projectionHead(PROJECTOR, featureDimension(spec), spec);
  const predictor = predictionHead(PREDICTOR, spec);
  return {
    backbone,
    projector,
    predictor,
    dim: spec.dim,
    entries: [...backbone.entries, ...projector.entries, ...predictor.entries],
  };
}

/** Whether an entry takes the predictor's learning rate (constant, where the run fixes it; SimSiam §4.1). */
export function isPredictor(entry: StateEntry): boolean {
  return entry.name.startsWith(PREDICTOR);
}
