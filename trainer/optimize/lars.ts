import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import { sgd, type OptimizerInput, type OptimizerOutput } from './sgd.ts';

/** How large a step may be beside its weights: apex's LARC with the trust coefficient of SimSiam's linear evaluation. */
const TRUST_COEFFICIENT = 0.001;
const EPSILON = 1e-8;

/**
 * LARS as apex's LARC around SGD, without clipping, on every tensor:
 * `g ← (g + weightDecay·w) · trust·‖w‖ / (‖g‖ + weightDecay·‖w‖ + ε)`, then SGD with momentum without further decay.
 * A tensor whose own norm or whose gradient's norm is 0 takes its raw gradient instead, so a bias that starts at zero
 * makes one step at the full learning rate.
 */
export function lars(input: OptimizerInput): OptimizerOutput {
  const gradients = input.gradients.map((gradient, i) => adapted(gradient, input.parameters[i]!, input.weightDecay));
  return sgd({ ...input, gradients, weightDecay: 0 });
}

function adapted(gradient: Tensor, parameter: Tensor, weightDecay: number): Tensor {
  const weightNorm = norm(parameter);
  const gradientNorm = norm(gradient);
  const applies = tf.logicalAnd(tf.greater(weightNorm, 0), tf.greater(gradientNorm, 0));
  const denominator = tf.add(tf.add(gradientNorm, tf.mul(weightNorm, weightDecay)), EPSILON);
  const scale = tf.where(applies, tf.div(tf.mul(weightNorm, TRUST_COEFFICIENT), denominator), tf.scalar(1));
  if (weightDecay === 0) return tf.mul(gradient, scale);
  const decay = tf.where(applies, tf.scalar(weightDecay), tf.scalar(0));
  return tf.mul(tf.add(gradient, tf.mul(parameter, decay)), scale);
}

function norm(x: Tensor): Tensor {
  return tf.sqrt(tf.sum(tf.square(x)));
}
