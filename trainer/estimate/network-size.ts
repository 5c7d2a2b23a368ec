import type { PretrainSpec } from '../../api/run.ts';
import { architectures, expansion } from '../model/architectures.ts';

/** What of a specification the size of its network depends on. */
export type SizedSpec = Pick<
  PretrainSpec,
  'arch' | 'stem' | 'width' | 'imageSize' | 'dim' | 'predictorDim' | 'projectorLayers'
>;

/** A network as its cost is counted, without TensorFlow. Tests compare the counts with the network that is trained. */
export interface NetworkSize {
  /** Trained numbers: weights, scales, shifts, the predictor's last bias. */
  readonly parameters: number;
  readonly normLayers: number;
  /** Channels of all batch norms together. */
  readonly normChannels: number;
  /** Of one view, forward. */
  readonly multiplyAdds: number;
}

/** A convolution, or a fully connected layer as one at a single place. */
interface CountedLayer {
  readonly kernel: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Side of its output. */
  readonly side: number;
  /** Its batch norm: with scale and shift, without, or none and a bias instead. */
  readonly norm: 'affine' | 'plain' | 'none';
}

/** Counts the default layout of the heads; ablations of them change it by some thousand numbers. */
export function networkSize(spec: SizedSpec): NetworkSize {
  const { layers, features } = backbone(spec);
  const all = [...layers, ...heads(features, spec)];
  const normed = all.filter(({ norm }) => norm !== 'none');
  const sum = (of: readonly CountedLayer[], count: (layer: CountedLayer) => number): number =>
    of.reduce((total, layer) => total + count(layer), 0);
  const extra = { affine: 2, plain: 0, none: 1 };
  const weights = ({ kernel, inputs, outputs }: CountedLayer): number => kernel * kernel * inputs * outputs;
  return {
    parameters: sum(all, (layer) => weights(layer) + extra[layer.norm] * layer.outputs),
    normLayers: normed.length,
    normChannels: sum(normed, ({ outputs }) => outputs),
    multiplyAdds: sum(all, (layer) => weights(layer) * layer.side * layer.side),
  };
}

function backbone({ arch, stem, width, imageSize }: SizedSpec): { layers: CountedLayer[]; features: number } {
  const { blocks, block } = architectures[arch];
  const isCifar = stem === 'cifar';
  let side = isCifar ? imageSize : half(imageSize);
  const layers: CountedLayer[] = [{ kernel: isCifar ? 3 : 7, inputs: 3, outputs: width, side, norm: 'affine' }];
  // Max-pool.
  if (!isCifar) side = half(side);
  let inputs = width;
  for (const [stage, count] of blocks.entries()) {
    const channels = width << stage;
    const outputs = channels * expansion[block];
    for (let index = 0; index < count; index++) {
      const from = side;
      if (stage > 0 && index === 0) side = half(side);
      const layer = (kernel: number, inputs: number, outputs: number, at = side): void =>
        void layers.push({ kernel, inputs, outputs, side: at, norm: 'affine' });
      if (block === 'basic') {
        layer(3, inputs, channels);
        layer(3, channels, outputs);
      } else {
        layer(1, inputs, channels, from);
        layer(3, channels, channels);
        layer(1, channels, outputs);
      }
      if (side !== from || inputs !== outputs) layer(1, inputs, outputs);
      inputs = outputs;
    }
  }
  return { layers, features: inputs };
}

function heads(features: number, { dim, predictorDim, projectorLayers }: SizedSpec): CountedLayer[] {
  const connected = (inputs: number, outputs: number, norm: CountedLayer['norm']): CountedLayer => {
    return { kernel: 1, inputs, outputs, side: 1, norm };
  };
  return [
    ...Array.from({ length: projectorLayers - 1 }, () => connected(features, features, 'affine')),
    connected(features, dim, 'plain'),
    connected(dim, predictorDim, 'affine'),
    connected(predictorDim, dim, 'none'),
  ];
}

const half = (side: number): number => Math.ceil(side / 2);
