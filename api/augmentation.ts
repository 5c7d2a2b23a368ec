import { z } from 'zod';
import { field, numberIn, perChannel, positiveUpTo } from './field.ts';

const mocoV2 = 'paper appendix A (data augmentation)';
const normalization = 'original main_simsiam.py: transforms.Normalize';

/** A closed interval [low, high] whose bounds are each in the range of `bound`; that low ≤ high is a cross-field rule. */
export function interval(bound: z.ZodNumber): z.ZodTuple<[z.ZodNumber, z.ZodNumber], null> {
  return z.tuple([bound, bound]);
}

const colorJitterSchema = z.strictObject({
  brightness: field(numberIn(0, 10).default(0.4), {
    description: 'Brightness factors are drawn from [max(0, 1 − value), 1 + value].',
    unit: 'factor',
    source: mocoV2,
  }),
  contrast: field(numberIn(0, 10).default(0.4), {
    description: 'Contrast factors are drawn from [max(0, 1 − value), 1 + value].',
    unit: 'factor',
    source: mocoV2,
  }),
  saturation: field(numberIn(0, 10).default(0.4), {
    description: 'Saturation factors are drawn from [max(0, 1 − value), 1 + value].',
    unit: 'factor',
    source: mocoV2,
  }),
  hue: field(numberIn(0, 0.5).default(0.1), {
    description: 'Hue shifts are drawn from [−value, value].',
    unit: 'turns of the colour wheel',
    source: mocoV2,
  }),
  probability: field(numberIn(0, 1).default(0.8), {
    description: 'How often colours are jittered; the four parts act in an order drawn for each view.',
    unit: 'probability',
    source: mocoV2,
  }),
});

const blurSchema = z.strictObject({
  sigma: field(interval(positiveUpTo(100)).default([0.1, 2]), {
    description: 'Interval from which the standard deviation of the Gaussian blur is drawn.',
    unit: 'pixels',
    source: mocoV2,
  }),
  probability: field(numberIn(0, 1).default(0.5), {
    description: 'How often a view is blurred. The CIFAR-10 recipe of the paper (appendix D) uses 0.',
    unit: 'probability',
    source: mocoV2,
  }),
});

/** The random chain that makes a view: crop → jitter → grayscale → blur → flip. */
const augmentationChainSchema = z.strictObject({
  cropScale: field(interval(positiveUpTo(1)).default([0.2, 1]), {
    description: 'Interval from which the area of the random crop is drawn.',
    unit: 'fraction of the image',
    source: mocoV2,
  }),
  cropRatio: field(interval(numberIn(0.01, 100)).default([3 / 4, 4 / 3]), {
    description: 'Interval from which the aspect ratio of the crop is drawn, uniformly in its logarithm.',
    unit: 'width / height',
    source: 'torchvision RandomResizedCrop, which the original uses',
  }),
  colorJitter: field(colorJitterSchema.prefault({}), { description: 'Random change of colours.', source: mocoV2 }),
  grayscaleProbability: field(numberIn(0, 1).default(0.2), {
    description: 'How often a view loses its colours.',
    unit: 'probability',
    source: mocoV2,
  }),
  blur: field(blurSchema.prefault({}), { description: 'Random Gaussian blur.', source: mocoV2 }),
  flipProbability: field(numberIn(0, 1).default(0.5), {
    description:
      'How often a view is mirrored left to right. Set 0 where mirroring changes the meaning, as for digits.',
    unit: 'probability',
    source: mocoV2,
  }),
});

/** Either the random chain, or `none`: both views are then the evaluation transform of the image. */
export const augmentationSchema = z.union([z.literal('none'), augmentationChainSchema]);

/** Mean and standard deviation that pixels of [0, 1] are normalised with, on the device. */
export const normalizeSchema = z.strictObject({
  mean: field(perChannel(numberIn(0, 1)).default([0.485, 0.456, 0.406]), {
    description: 'Mean of the red, green and blue channel.',
    unit: 'intensity from 0 to 1',
    source: normalization,
  }),
  std: field(perChannel(positiveUpTo(1)).default([0.229, 0.224, 0.225]), {
    description: 'Standard deviation of the red, green and blue channel.',
    unit: 'intensity from 0 to 1',
    source: normalization,
  }),
});

export type AugmentationChain = z.output<typeof augmentationChainSchema>;
export type AugmentationSpec = z.output<typeof augmentationSchema>;
export type NormalizeSpec = z.output<typeof normalizeSchema>;
