import type { AblationSpec, PretrainSpec } from '../../api/run.ts';
import { sequential, type Layer } from './layer.ts';
import { batchNorm } from './layers/batch-norm.ts';
import { relu } from './layers/elementwise.ts';
import { linear, type Bias } from './layers/linear.ts';

/** The part of the specification that shapes the projector and the predictor. */
export type HeadSpec = Pick<PretrainSpec, 'dim' | 'predictorDim' | 'projectorLayers'> & {
  readonly ablation: Pick<AblationSpec, 'predictor' | 'headBatchNorm'>;
};

interface FullyConnected {
  /** Place in PyTorch's `nn.Sequential`; the batch norm is at the next one. */
  readonly name: (place: number) => string;
  readonly place: number;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * Fully connected layers with batch norm, hidden width that of the features. The last one has a bias that never
 * changes and a batch norm without scale and shift, as upstream.
 */
export function projectionHead(prefix: string, width: number, spec: HeadSpec): Layer {
  const name = (place: number): string => `${prefix}${place}`;
  const { dim, projectorLayers, ablation } = spec;
  const hidden = Array.from({ length: projectorLayers - 1 }, (_, i) =>
    hiddenLayer({ name, place: 3 * i, inputs: width, outputs: width }, spec),
  );
  const last = { name, place: 3 * (projectorLayers - 1), inputs: width, outputs: dim };
  const normalized = ablation.headBatchNorm === 'default' || ablation.headBatchNorm === 'all';
  return sequential([
    ...hidden.flat(),
    ...(normalized
      ? [fullyConnected(last, 'frozen'), batchNorm({ name: name(last.place + 1), channels: dim, affine: false })]
      : [fullyConnected(last, 'trainable')]),
  ]);
}

/** A bottleneck of two layers without batch norm at its output (SimSiam §3, "Prediction MLP"). */
export function predictionHead(prefix: string, spec: HeadSpec): Layer {
  const { dim, predictorDim, ablation } = spec;
  if (ablation.predictor === 'none') return sequential([]);
  const name = (place: number): string => `${prefix}${place}`;
  const last = { name, place: 3, inputs: predictorDim, outputs: dim };
  const trained = sequential([
    ...hiddenLayer({ name, place: 0, inputs: dim, outputs: predictorDim }, spec),
    ...(ablation.headBatchNorm === 'all'
      ? [fullyConnected(last, 'none'), batchNorm({ name: name(4), channels: dim })]
      : [fullyConnected(last, 'trainable')]),
  ]);
  return ablation.predictor === 'fixedRandom' ? fixed(trained) : trained;
}

/** A batch norm makes the bias in front of it useless; a layer without one gets a bias. */
function hiddenLayer(layer: FullyConnected, { ablation }: HeadSpec): Layer[] {
  if (ablation.headBatchNorm === 'none') return [fullyConnected(layer, 'trainable'), relu];
  const norm = batchNorm({ name: layer.name(layer.place + 1), channels: layer.outputs, relu: true });
  return [fullyConnected(layer, 'none'), norm];
}

function fullyConnected({ name, place, inputs, outputs }: FullyConnected, bias: Bias): Layer {
  return linear({ name: name(place), inputs, outputs, bias });
}

/** The same layer with weights that never change; running statistics go on moving. */
function fixed(layer: Layer): Layer {
  return {
    ...layer,
    entries: layer.entries.map((entry) => (entry.role === 'trainable' ? { ...entry, role: 'frozen' } : entry)),
  };
}
