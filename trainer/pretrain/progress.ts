import { cosineLearningRate, scaledLearningRate } from '../optimize/schedule.ts';
import type { PretrainSpec } from '../../api/run.ts';

/** Where a run is in its steps. Pure. */
export interface Plan {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** `maxSteps` ends a run early, without changing the schedule of its learning rate. */
export function planSteps({ epochs, maxSteps }: PretrainSpec, stepsPerEpoch: number): Plan {
  const all = epochs * stepsPerEpoch;
  return { stepsPerEpoch, totalSteps: maxSteps === undefined ? all : Math.min(maxSteps, all) };
}

/** Learning rates of a step in the epoch: a cosine for the encoder, and the predictor's own (SimSiam §4.1). */
export function learningRates(spec: PretrainSpec, epoch: number): { encoder: number; predictor: number } {
  const initial = scaledLearningRate(spec.learningRate, spec.batchSize);
  const encoder = cosineLearningRate(initial, epoch, spec.epochs);
  return { encoder, predictor: spec.fixPredictorLearningRate ? initial : encoder };
}
