import { pretrainSchema } from '../../api/pretrain.ts';
import type { PretrainSpec } from '../../api/run.ts';
import { networkSize, type NetworkSize } from './network-size.ts';
import type { ClusterFigures, StepTraffic } from './step-model.ts';

const FLOAT = 4;
const VIEWS = 2;
/** Vectors of a view: mean, its square and variance forward; the gradients of scale and shift backward. */
const VECTORS = 3 + 2;

/** The measured step: ResNet-50, 256 images of 224 px, bf16, on one H200 (docs/gpu.md). */
const measured = { stepSeconds: 0.1471, images: 256, network: networkSize(pretrainSchema.parse({})) };

/** Of a tensor core's peak, the part that TF32 has of bf16's (NVIDIA's data sheets of H100 and H200). */
const TF32_OF_BF16 = 1 / 2;

/** What docs/scale.md says is measured or published. */
export const clusterFigures: ClusterFigures = {
  secondsPerImage: measured.stepSeconds / measured.images,
  backwardShare: 2 / 3,
  gpusPerNode: 8,
  nodeBandwidth: 450e9,
  networkBandwidth: 50e9,
  latency: { base: 6.8e-6, intra: 0.6e-6, inter: 5e-6 },
  bytesPerImage: 108e3,
  storeBandwidth: 100e6,
};

/** Counts what a step sends. */
export function trafficOf({ parameters, normLayers, normChannels }: NetworkSize): StepTraffic {
  return {
    gradientBytes: parameters * FLOAT,
    normLayers,
    normBytes: normChannels * VIEWS * VECTORS * FLOAT,
    // Weights and momenta; running means and variances.
    checkpointBytes: (2 * parameters + 2 * normChannels) * FLOAT,
  };
}

/** Seconds of one GPU for an image of another network, size and precision: by multiply-adds and peak rates. */
export function secondsPerImage(size: NetworkSize, precision: PretrainSpec['precision']): number {
  const share = size.multiplyAdds / measured.network.multiplyAdds;
  return clusterFigures.secondsPerImage * share * (precision === 'bf16' ? 1 : 1 / TF32_OF_BF16);
}
