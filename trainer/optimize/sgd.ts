import { onGpu } from '../tensorflow/device.ts';
import { sgdUpdate } from '../tensorflow/kernels.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';

/** One step's input to an optimiser: four lists in one order, float32, symbolic. */
export interface OptimizerInput {
  readonly parameters: readonly Tensor[];
  /** Momentum buffers shaped like the parameters, zeros before the first step. */
  readonly momenta: readonly Tensor[];
  /** Gradients of the mean loss over the global batch. */
  readonly gradients: readonly Tensor[];
  /** One scalar a parameter, so that groups (the predictor) can have a rate of their own. */
  readonly learningRates: readonly Tensor[];
  readonly momentum: number;
  /** L2 decay that is added to the gradient. */
  readonly weightDecay: number;
}

export interface OptimizerOutput {
  readonly parameters: Tensor[];
  readonly momenta: Tensor[];
}

/**
 * SGD with momentum as in PyTorch: `v ← momentum·v + (g + weightDecay·w)`, `w ← w − learningRate·v`, no dampening, no
 * Nesterov. PyTorch starts the buffer as the first gradient, which is what a zero buffer gives.
 */
export function sgd(input: OptimizerInput): OptimizerOutput {
  if (!onGpu()) return inOnePass(input);
  const momenta = input.parameters.map((parameter, i) => {
    const decayed = addDecay(input.gradients[i]!, parameter, input.weightDecay);
    return tf.add(tf.mul(input.momenta[i]!, input.momentum), decayed);
  });
  const parameters = input.parameters.map((parameter, i) =>
    tf.sub(parameter, tf.mul(momenta[i]!, input.learningRates[i]!)),
  );
  return { parameters, momenta };
}

/** By our kernel for CPUs. */
function inOnePass({ parameters, momenta, gradients, learningRates, ...options }: OptimizerInput): OptimizerOutput {
  const updated = parameters.map((parameter, i) =>
    sgdUpdate(
      { parameter, buffer: momenta[i]!, gradient: gradients[i]!, rate: learningRates[i]! },
      { momentum: options.momentum, weightDecay: options.weightDecay },
    ),
  );
  return { parameters: updated.map(({ parameter }) => parameter), momenta: updated.map(({ buffer }) => buffer) };
}

/** Decay of 0 costs nothing: the term is left out of the graph. */
function addDecay(gradient: Tensor, parameter: Tensor, weightDecay: number): Tensor {
  return weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay));
}
