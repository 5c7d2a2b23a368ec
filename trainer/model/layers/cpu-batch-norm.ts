import { normalizeGradient, normalizeRows, normalizeSums, rowMoments } from '../../tensorflow/kernels.ts';
import { recomputable } from './recompute.ts';
import { EPSILON, type LocalBatchNorm } from './local-batch-norm.ts';

/**
 * Our own kernels, which pass over x no more often than they must and add up in float64. (TensorFlow's add a channel's
 * values one after the other in float32, whose error grows with their number.)
 */
export const cpuBatchNorm: LocalBatchNorm = {
  name: 'Cpu',
  workspaces: 0,
  forward: (x) => ({ moments: rowMoments(x), workspace: [] }),
  normalize: (x, by, { skip, relu }) => {
    const options = { epsilon: EPSILON, relu };
    if (skip) return normalizeRows(x, by, options, { skip });
    return recomputable(normalizeRows(x, by, options), (after) => normalizeRows(x, by, options, { after }));
  },
  backward: ({ dy, x, scale, shift, moments: { mean, variance }, relu }) => {
    const [by, options] = [
      { scale, shift, mean, variance },
      { epsilon: EPSILON, relu },
    ];
    return {
      ...normalizeSums(dy, x, by, options),
      dx: (slope, offset) => normalizeGradient(dy, x, by, options, { slope, offset }),
    };
  },
};
