import { tf, type Tensor } from './tfjs.ts';

interface Forward {
  readonly value: Tensor;
  /** Tensors that the gradient reads and that must live until then. */
  readonly saved?: readonly Tensor[];
  /** From the gradient of the value to one for each input. */
  readonly gradient: (dy: Tensor) => Tensor[];
}

/** An operation with a gradient of its own: TensorFlow's kernels where tfjs has none or slower ones. */
export function differentiable(inputs: readonly Tensor[], forward: (...inputs: Tensor[]) => Forward): Tensor {
  return tf.customGrad((...args) => {
    const save = args.pop() as (saved: Tensor[]) => void;
    const { value, saved = [], gradient } = forward(...(args as Tensor[]));
    save([...saved]);
    return { value, gradFunc: (dy: Tensor) => gradient(dy) };
  })(...inputs);
}
