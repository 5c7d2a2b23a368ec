import { z } from 'zod';
import { field } from './field.ts';

/** Parts of SimSiam that can be taken away or exchanged, as in the ablations of the paper. */
export const ablationSchema = z.strictObject({
  stopGradient: field(z.boolean().default(true), {
    description: 'Stop the gradient at the target view. Without it the representation collapses.',
    source: 'paper §4.1, figure 2',
  }),
  predictor: field(z.enum(['mlp', 'fixedRandom', 'none']).default('mlp'), {
    description:
      'The predictor h: `mlp` is trained, `fixedRandom` keeps its initial weights, `none` is the identity. ' +
      'A constant learning rate is fixPredictorLearningRate.',
    source: 'paper §4.2, table 1',
  }),
  headBatchNorm: field(z.enum(['none', 'hidden', 'default', 'all']).default('default'), {
    description:
      'Batch norm in the projector and the predictor: nowhere, after hidden layers only, also at the output of the ' +
      "projector (the default), or also at the predictor's.",
    source: 'paper §4.4, table 3',
  }),
  similarity: field(z.enum(['cosine', 'crossEntropy']).default('cosine'), {
    description: 'How a prediction is compared with its target: negative cosine, or cross-entropy of their softmaxes.',
    source: 'paper §4.5',
  }),
  symmetry: field(z.enum(['symmetric', 'asymmetric', 'asymmetric2x']).default('symmetric'), {
    description:
      'Which view predicts which: each the other, the first the second alone, or that with two pairs of views an image.',
    source: 'paper §4.6',
  }),
});

export type AblationSpec = z.output<typeof ablationSchema>;
