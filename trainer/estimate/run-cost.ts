import { clusterRanks } from '../../api/ranks.ts';
import type { SimSiamRunSpec } from '../../api/run.ts';
import { clusterFigures, secondsPerImage, trafficOf } from './figures.ts';
import { networkSize } from './network-size.ts';
import { estimateStep } from './step-model.ts';

/** Passes of a view that an image costs in pre-training: two views, each forward and, at twice the cost, backward. */
const PASSES = 2 * 3;

/** What a run costs by the model of docs/scale.md. */
export interface RunCost {
  readonly gpus: number;
  /** Of all GPUs together, for each image of the training set. */
  readonly pretrainGpuSeconds: number;
  readonly linearGpuSeconds: number;
  /** Part of a step's time that is computing, in pre-training. */
  readonly efficiency: number;
}

/**
 * A lower bound of a run on GPUs of an H200's speed: without loading, evaluations of the validation set, checkpoints and
 * restarts. Undefined without GPUs.
 */
export function runCost(spec: SimSiamRunSpec): RunCost | undefined {
  const { pretrain, linear, gpusPerWorker } = spec;
  if (gpusPerWorker === 0) return undefined;
  const gpus = clusterRanks(spec);
  const size = networkSize(pretrain);
  const ofImage = secondsPerImage(size, pretrain.precision);
  const figures = { ...clusterFigures, secondsPerImage: ofImage, gpusPerNode: gpusPerWorker };
  const { efficiency } = estimateStep(gpus, pretrain.batchSize / gpus, trafficOf(size), figures);
  return {
    gpus,
    pretrainGpuSeconds: (pretrain.epochs * ofImage) / efficiency,
    linearGpuSeconds: (linear.epochs * ofImage) / PASSES,
    efficiency,
  };
}
