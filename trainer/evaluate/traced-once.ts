import type { GraphFunction, Runtime, TensorSpec } from '../tensorflow/runtime.ts';
import type { Tensor } from '../tensorflow/tfjs.ts';

const functions = new WeakMap<Runtime, Map<string, GraphFunction>>();

/**
 * The function of that name for those inputs, traced at its first use and kept as long as the runtime: what is measured
 * every epoch would else be traced every epoch, and take new keys for its collectives each time.
 *
 * The same name and inputs must mean the same body: whatever else shapes it belongs in the name.
 */
export function tracedOnce(
  runtime: Runtime,
  name: string,
  inputs: readonly (readonly TensorSpec[])[],
  body: (...groups: Tensor[][]) => Tensor[][],
): GraphFunction {
  const known = functions.get(runtime) ?? new Map<string, GraphFunction>();
  functions.set(runtime, known);
  const key = JSON.stringify([name, inputs]);
  const found = known.get(key) ?? runtime.trace(name, inputs, body);
  known.set(key, found);
  return found;
}
