import { pretrainSchema } from '../api/pretrain.ts';
import { simSiam } from '../trainer/model/simsiam.ts';
import type { StepTraffic } from './scale-model.ts';

const FLOAT = 4;
const VIEWS = 2;
/** Vectors of a view: mean, its square and variance forward; the gradients of scale and shift backward. */
const VECTORS = 3 + 2;

/** Counts what a step of the default recipe sends. */
export function defaultTraffic(): StepTraffic {
  const { entries } = simSiam(pretrainSchema.parse({}));
  const size = (roles: readonly string[]): number =>
    entries
      .filter(({ role }) => roles.includes(role))
      .reduce((total, { shape }) => total + shape.reduce((product, n) => product * n, 1), 0);
  const means = entries.filter(({ name }) => name.endsWith('.running_mean'));
  const channels = means.reduce((total, { shape }) => total + shape[0]!, 0);
  const trainable = size(['trainable']);
  return {
    gradientBytes: trainable * FLOAT,
    normLayers: means.length,
    normBytes: channels * VIEWS * VECTORS * FLOAT,
    checkpointBytes: (2 * trainable + size(['statistic'])) * FLOAT,
  };
}
