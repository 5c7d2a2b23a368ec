import { constantLearningRateAt, learningRateAt } from '../optimize/schedule.ts';
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

/** Learning rates of the step after `step` finished ones: the encoder's, and the predictor's own (SimSiam §4.1). */
export function learningRates(
  spec: PretrainSpec,
  { stepsPerEpoch }: Plan,
  step: number,
): { encoder: number; predictor: number } {
  const epoch = Math.floor(step / stepsPerEpoch);
  const fraction = ((step % stepsPerEpoch) + 1) / stepsPerEpoch;
  const encoder = learningRateAt(spec, epoch, fraction);
  return {
    encoder,
    predictor: spec.fixPredictorLearningRate ? constantLearningRateAt(spec, epoch, fraction) : encoder,
  };
}
