import { z } from 'zod';
import { interval } from './augmentation.ts';
import { field, numberIn, ownField, positiveUpTo, wholeNumber } from './field.ts';

/** Linear evaluation: one classifier layer on the frozen backbone; or fine-tuning of both. */
export const linearSchema = z.strictObject({
  epochs: field(wholeNumber(0, 100_000).default(90), {
    description: 'Passes over the labelled training images; 0 skips linear evaluation. Above 0, data.val is needed.',
    unit: 'epochs',
    source: 'original --epochs (main_lincls.py); paper appendix A',
  }),
  batchSize: field(wholeNumber(1, 1_048_576).default(4096), {
    description: 'Images of a step over all ranks together; the ranks must divide it.',
    unit: 'images',
    source: 'original --batch-size (main_lincls.py); paper appendix A',
  }),
  learningRate: field(numberIn(0, 1000).default(0.1), {
    description: 'Base learning rate; the rate in force is this × batchSize / 256, with a cosine decay per epoch.',
    unit: 'per 256 images',
    source: 'original --lr (main_lincls.py)',
  }),
  momentum: field(numberIn(0, 0.9999).default(0.9), {
    description: 'Momentum of the optimiser.',
    unit: 'factor',
    source: 'original --momentum',
  }),
  backboneLearningRate: field(positiveUpTo(1000).exactOptional(), {
    description:
      'Fine-tuning: base learning rate of the backbone, which is then trained with the classifier, by SGD and with batch ' +
      'norm in training mode; scaled and decayed as learningRate. Unset, the backbone stays frozen, in eval mode.',
    unit: 'per 256 images',
    source: 'semi-supervised evaluation with a rate for each (Barlow Twins, Zbontar et al. 2021)',
  }),
  weightDecay: field(numberIn(0, 1).default(0), {
    description: 'Weight decay of the classifier, and of a backbone that is fine-tuned.',
    unit: 'factor',
    source: 'original --wd (main_lincls.py)',
  }),
  optimizer: field(z.enum(['lars', 'sgd']).default('lars'), {
    description: 'LARS suits batches in the thousands, plain SGD small ones.',
    source: "original --lars, on in its README's command; paper appendix A",
  }),
  labelFraction: field(positiveUpTo(1).exactOptional(), {
    description:
      'Part of the training images of each class whose labels are used, drawn from pretrain.seed, at least one of each; unset is 1.',
    unit: 'fraction',
    source: 'semi-supervised evaluation with 1 % and 10 % of the labels (SimCLR, Chen et al. 2020, §6)',
  }),
  cropScale: field(interval(positiveUpTo(1)).default([0.08, 1]), {
    description: 'Interval from which the area of the random crop of a training image is drawn.',
    unit: 'fraction of the image',
    source: 'torchvision RandomResizedCrop, which the original uses',
  }),
  flipProbability: field(numberIn(0, 1).default(0.5), {
    description: 'How often a training image is mirrored left to right.',
    unit: 'probability',
    source: 'torchvision RandomHorizontalFlip, which the original uses',
  }),
  resumeFrom: field(z.string().min(1).max(4096).exactOptional(), {
    description:
      "Checkpoint of the original's linear evaluation that a new one goes on from: classifier, momentum, epoch.",
    unit: 'path',
    source: 'original --resume (main_lincls.py)',
  }),
  evaluateOnly: field(z.boolean().exactOptional(), {
    description: 'Measure the classifier of resumeFrom on data.val and train nothing; unset is `false`.',
    source: 'original --evaluate (main_lincls.py)',
  }),
  baselines: field(z.boolean().default(false), {
    description: 'Evaluate raw pixels and the untrained backbone in the same way, to compare with.',
    source: ownField,
  }),
});

export type LinearSpec = z.output<typeof linearSchema>;
