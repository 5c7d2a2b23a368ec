import { tf } from '../../tensorflow/tfjs.ts';
import type { Layer, StateEntry } from '../layer.ts';

/** `frozen`: the bias keeps its start, takes no gradient and no decay (SimSiam's last projector layer). */
export type Bias = 'none' | 'trainable' | 'frozen';

interface LinearOptions {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: Bias;
}

/** x·W (+ b), started as PyTorch's `nn.Linear`: U(±1/√inputs) for both. Views: [n, inputs] → [n, outputs] float32. */
export function linear({ name, inputs, outputs, bias }: LinearOptions): Layer {
  const initial = { kind: 'uniform', bound: 1 / Math.sqrt(inputs) } as const;
  const weight: StateEntry = {
    name: `${name}.weight`,
    shape: [outputs, inputs],
    role: 'trainable',
    layout: 'linear',
    initial,
  };
  const biasName = `${name}.bias`;
  return {
    entries:
      bias === 'none' ? [weight] : [weight, { name: biasName, shape: [outputs], role: bias, layout: 'plain', initial }],
    apply: (scope, views) =>
      views.map((x) => {
        const y = tf.matMul(x, scope.parameter(weight.name));
        return bias === 'none' ? y : tf.add(y, scope.parameter(biasName));
      }),
  };
}
