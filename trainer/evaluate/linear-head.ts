import { allReduceSum } from '../tensorflow/collectives.ts';
import { lars } from '../optimize/lars.ts';
import { sgd, type OptimizerOutput } from '../optimize/sgd.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';

/** Where SimSiam's linear evaluation starts: weight N(0, 0.01), bias 0. */
const INITIAL_STD = 0.01;
const TOP = 5;

/** Something that draws normally distributed numbers, such as `CounterRandom`. */
export interface GaussianSource {
  fillNormal(target: Float32Array, standardDeviation: number): void;
}

/** A linear classifier's values: logits = features · weight + bias. */
export interface HeadValues {
  /** [dimension, classes], the transpose of PyTorch's layout. */
  readonly weight: Float32Array;
  /** [classes]. */
  readonly bias: Float32Array;
}

export function initialHead(dimension: number, classes: number, random: GaussianSource): HeadValues {
  const weight = new Float32Array(dimension * classes);
  random.fillNormal(weight, INITIAL_STD);
  return { weight, bias: new Float32Array(classes) };
}

/** A rank's part of a batch: labels int32 [n], mask float32 [n] with 0 for padding, whose label may be anything. */
export interface LabelledFeatures {
  readonly features: Tensor;
  readonly labels: Tensor;
  readonly mask: Tensor;
}

/** Positions in the vector of sums. */
export const headSums = { loss: 0, top1: 1, top5: 2, count: 3 } as const;

interface Classified {
  /** Float32 [4] over this rank's rows, in the order of {@link headSums}. */
  readonly sums: Tensor;
  /** Gradient of the summed loss by the logits, [n, classes]. */
  readonly slope: Tensor;
}

/** Softmax cross-entropy and hits of a linear classifier over the rows that the mask shows. */
export function classify({ features, labels, mask }: LabelledFeatures, weight: Tensor, bias: Tensor): Classified {
  const logits = tf.add(tf.matMul(features, weight), bias);
  const shifted = tf.sub(logits, tf.max(logits, 1, true));
  const logProbabilities = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)));
  const target = tf.oneHot(tf.cast(labels, 'int32'), bias.size);
  const losses = tf.neg(tf.sum(tf.mul(target, logProbabilities), 1));
  const places = placeOfTarget(shifted, target);
  const hits = (k: number): Tensor => tf.sum(tf.mul(tf.cast(tf.less(places, k), 'float32'), mask));
  return {
    sums: tf.stack([tf.sum(tf.mul(losses, mask)), hits(1), hits(TOP), tf.sum(mask)]),
    slope: tf.mul(tf.sub(tf.exp(logProbabilities), target), tf.expandDims(mask, 1)),
  };
}

/** How many classes come before the right one: those with a larger logit, and of equal ones those with a lower index. */
function placeOfTarget(logits: Tensor, target: Tensor): Tensor {
  const own = tf.sum(tf.mul(logits, target), 1, true);
  const after = tf.cumsum(target, 1); // 1 from the right class on
  const larger = tf.cast(tf.greater(logits, own), 'float32');
  const equalBefore = tf.mul(tf.cast(tf.equal(logits, own), 'float32'), tf.sub(1, after));
  return tf.sum(tf.add(larger, equalBefore), 1);
}

export const linearOptimizers = { sgd, lars } as const;

export interface HeadStepInput extends LabelledFeatures {
  /** Weight and bias. */
  readonly head: readonly [Tensor, Tensor];
  readonly momenta: readonly [Tensor, Tensor];
  readonly learningRate: Tensor;
  /** A float scalar of each rank that is added up with the rest: a request to stop. */
  readonly signal: Tensor;
}

export interface HeadStepOptions {
  readonly optimizer: keyof typeof linearOptimizers;
  readonly momentum: number;
  readonly weightDecay: number;
}

export interface HeadStepOutput extends OptimizerOutput {
  /** Over all ranks. */
  readonly sums: Tensor;
  readonly signal: Tensor;
}

/**
 * One step of a linear classifier on features that are not trained: the mean loss over the images of all ranks,
 * however they are spread, its gradient, and the optimiser. One message.
 */
export function headStep(input: HeadStepInput, options: HeadStepOptions): HeadStepOutput {
  const [weight, bias] = input.head;
  const { sums: ownSums, slope } = classify(input, weight, bias);
  const own = [tf.matMul(input.features, slope, true), tf.sum(slope, 0), ownSums, input.signal];
  const [weightSlope, biasSlope, sums, signal] = allReduceSum(own) as [Tensor, Tensor, Tensor, Tensor];
  const count = tf.maximum(tf.slice(sums, headSums.count, 1), 1);
  const gradients = [tf.div(weightSlope, count), tf.div(biasSlope, count)];
  const { momentum, weightDecay, optimizer } = options;
  const { head: parameters, momenta, learningRate } = input;
  const learningRates = [learningRate, learningRate];
  const updated = linearOptimizers[optimizer]({ parameters, momenta, gradients, learningRates, momentum, weightDecay });
  return { ...updated, sums, signal };
}
