import { z } from 'zod';
import { ablationSchema } from './ablation.ts';
import { augmentationSchema, normalizeSchema } from './augmentation.ts';
import { field, numberIn, ownField, positiveUpTo, wholeNumber } from './field.ts';

/** Depths of the backbone, as torchvision names them. */
export const architectures = ['resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152'] as const;
export type Architecture = (typeof architectures)[number];

const knnSchema = z.strictObject({
  everyEpochs: field(wholeNumber(0, 100_000).default(1), {
    description:
      'Epochs between two runs of the monitors; 0 switches them off. The effective rank needs images alone, kNN and the linear probe labels.',
    unit: 'epochs',
    source: 'paper appendix D (kNN monitor)',
  }),
  k: field(wholeNumber(1, 10_000).default(200), {
    description: 'Neighbours that vote.',
    unit: 'images',
    source: 'Wu et al. 2018 (instance discrimination)',
  }),
  temperature: field(positiveUpTo(10).default(0.1), {
    description: 'A neighbour of cosine similarity s votes with weight exp(s / temperature).',
    unit: 'cosine similarity',
    source: 'kNN monitors in common use; Wu et al. 2018 has 0.07',
  }),
  bankSize: field(wholeNumber(1, 10_000_000).default(50_000), {
    description: 'Most training images whose features are kept to vote.',
    unit: 'images',
    source: ownField,
  }),
  onlineProbeLearningRate: field(positiveUpTo(1000).exactOptional(), {
    description:
      "Online linear probe: a classifier of the backbone's features that learns with each step, without a gradient to the " +
      'backbone, by SGD at this base rate × batchSize / 256, and is measured with the kNN. Needs labels; unset there is none.',
    unit: 'per 256 images',
    source: 'online linear evaluation in common use (solo-learn, lightly)',
  }),
  linearProbe: field(z.boolean().exactOptional(), {
    description: 'Whether to classify by a linear fit to the same features too, by ridge regression; unset it does.',
    source: ownField,
  }),
});

/** Self-supervised pre-training: network, optimiser, augmentation and monitors. */
export const pretrainSchema = z.strictObject({
  arch: field(z.enum(architectures).default('resnet50'), {
    description: 'Depth of the ResNet backbone.',
    source: 'original --arch',
  }),
  stem: field(z.enum(['imagenet', 'cifar']).default('imagenet'), {
    description:
      'First layers: `imagenet` is a 7×7 convolution of stride 2 and max-pooling, `cifar` a 3×3 convolution.',
    source: 'paper §4 (imagenet), appendix D (cifar)',
  }),
  width: field(wholeNumber(1, 1024).default(64), {
    description: 'Channels of the first residual stage; each later stage doubles them.',
    unit: 'channels',
    source: 'torchvision ResNet, which the original uses',
  }),
  zeroInitResidual: field(z.boolean().default(true), {
    description: 'Start the last batch norm of each residual block at gamma 0, so that a block begins as the identity.',
    source: 'paper appendix A (initialisation); original: zero_init_residual=True',
  }),
  imageSize: field(wholeNumber(8, 1024).default(224), {
    description: 'Side of the square views.',
    unit: 'pixels',
    source: 'paper §4; original: RandomResizedCrop(224)',
  }),
  epochs: field(wholeNumber(0, 100_000).default(100), {
    description:
      'Passes over the training images; 0 evaluates the backbone of initFrom as it is. Raising it extends a finished local run.',
    unit: 'epochs',
    source: 'original --epochs',
  }),
  batchSize: field(wholeNumber(2, 1_048_576).default(512), {
    description: 'Images of a step over all ranks together; the ranks must divide it.',
    unit: 'images',
    source: 'original --batch-size (512)',
  }),
  learningRate: field(numberIn(0, 1000).default(0.05), {
    description: 'Base learning rate; the rate in force is this × batchSize / 256, with a cosine decay per epoch.',
    unit: 'per 256 images',
    source: 'original --lr; paper §3',
  }),
  accumulationSteps: field(wholeNumber(1, 65_536).exactOptional(), {
    description:
      'Parts that a batch is computed in, one after the other, for want of memory; unset is 1. ' +
      'Gradients are averaged over the whole batch; batch norm sees batchSize / accumulationSteps images at a time.',
    unit: 'parts',
    source: ownField,
  }),
  warmupEpochs: field(wholeNumber(1, 100_000).exactOptional(), {
    description:
      'Epochs in which the rate grows with each step from 0 to its initial value, the cosine after them; unset is 0.',
    unit: 'epochs',
    source: 'paper §4.2: 10 for batches of 1024 and more',
  }),
  momentum: field(numberIn(0, 0.9999).default(0.9), {
    description: 'Momentum of SGD.',
    unit: 'factor',
    source: 'original --momentum; paper §3',
  }),
  weightDecay: field(numberIn(0, 1).default(1e-4), {
    description: 'Weight decay of every trainable parameter, batch norm and biases included.',
    unit: 'factor',
    source: 'original --wd; paper §3',
  }),
  dim: field(wholeNumber(1, 65_536).default(2048), {
    description: 'Width of the projection and of the prediction.',
    unit: 'features',
    source: 'original --dim; paper §3',
  }),
  predictorDim: field(wholeNumber(1, 65_536).default(512), {
    description: 'Hidden width of the predictor; the paper makes it a bottleneck of dim / 4.',
    unit: 'features',
    source: 'original --pred-dim; paper §3',
  }),
  projectorLayers: field(z.literal([2, 3]).default(3), {
    description: 'Fully connected layers of the projector. The CIFAR-10 recipe of the paper (appendix D) has 2.',
    unit: 'layers',
    source: 'paper §3',
  }),
  fixPredictorLearningRate: field(z.boolean().default(true), {
    description: 'Keep the predictor at the initial learning rate instead of decaying it.',
    source: "original --fix-pred-lr, on in its README's command; paper table 1",
  }),
  precision: field(z.enum(['fp32', 'bf16']).default('fp32'), {
    description:
      'Arithmetic of convolutions and matrix products. Weights, statistics, losses and reductions stay fp32.',
    source: 'original: fp32',
  }),
  seed: field(wholeNumber(0, 4_294_967_295).default(0), {
    description: 'Seed of every random draw: order, augmentation and initial weights.',
    source: 'original --seed, there unset',
  }),
  augmentation: field(augmentationSchema.prefault({}), {
    description:
      'How the two views of an image are made: the random chain crop → jitter → grayscale → blur → flip, ' +
      'or `none` for the evaluation transform in both.',
    source: 'paper appendix A (data augmentation)',
  }),
  normalize: field(normalizeSchema.prefault({}), {
    description: 'Normalisation of the pixels, in training and in evaluation.',
    source: 'original: transforms.Normalize',
  }),
  ablation: field(ablationSchema.prefault({}), {
    description: 'Parts of the method that can be taken away, to see what they do.',
    source: 'paper §4',
  }),
  knn: field(knnSchema.prefault({}), {
    description:
      'Classification of data.val, or without one of a tenth of data.train, by the features of other training images, as a ' +
      'monitor during pre-training.',
    source: 'paper appendix D (kNN monitor)',
  }),
  maxSteps: field(wholeNumber(1, 1_000_000_000).exactOptional(), {
    description: 'End pre-training after this many steps, with the schedule of the whole run. For trials.',
    unit: 'steps',
    source: ownField,
  }),
  initFrom: field(z.string().min(1).max(4096).exactOptional(), {
    description:
      'Checkpoint whose model pre-training starts from instead of random weights: its folder, a .safetensors or a .pth.tar. ' +
      'Where epochs is 0 a bare backbone is enough.',
    unit: 'path or URI',
    source: ownField,
  }),
  resumeFrom: field(z.string().min(1).max(4096).exactOptional(), {
    description:
      'Checkpoint of another run or of the original that a new run goes on from: weights, momentum and epoch. ' +
      "A run's own checkpoints need no naming.",
    unit: 'path or URI',
    source: 'original --resume',
  }),
  startEpoch: field(wholeNumber(0, 100_000).exactOptional(), {
    description: 'Epoch that a new run begins with, unless the checkpoint of resumeFrom knows its own.',
    unit: 'epochs',
    source: 'original --start-epoch (0)',
  }),
});

export type PretrainSpec = z.output<typeof pretrainSchema>;
export type KnnSpec = PretrainSpec['knn'];
