import type { SimSiamRunSpec } from '../../api/run.ts';
import { TensorFlowError } from '../tensorflow/errors.ts';
import { OutOfMemoryError } from './errors.ts';

const exhausted = 'TF_RESOURCE_EXHAUSTED';

/** What to make of an error of a rank: memory that didn't suffice is told with what to lower; anything else stays. */
export function withMemoryAdvice(thrown: unknown, spec: SimSiamRunSpec, world: number): unknown {
  if (!(thrown instanceof TensorFlowError) || thrown.code !== exhausted) return thrown;
  const { pretrain, linear } = spec;
  const { batchSize, accumulationSteps = 1, precision, imageSize } = pretrain;
  const isLinear = thrown.message.includes('linear_');
  const advice = isLinear
    ? [`lower spec.linear.batchSize (${linear.batchSize}, ${linear.batchSize / world} on each rank), or use more ranks`]
    : [
        `raise spec.pretrain.accumulationSteps (${accumulationSteps}: ${batchSize / accumulationSteps / world} images ` +
          'at a time on each rank, twice), which keeps batch and learning rate',
        'or use more ranks',
        ...(precision === 'fp32' ? ['or precision: bf16'] : []),
        `or lower batchSize or imageSize (${imageSize})`,
      ];
  return new OutOfMemoryError(`out of memory: ${advice.join(', ')}; ${thrown.message.replace(/ \[TF_\w+\]$/, '')}`, {
    cause: thrown,
  });
}
