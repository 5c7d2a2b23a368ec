import type { DType } from '../../trainer/tensorflow/dtypes.ts';
import { type GraphFunction, Runtime, type TensorSpec } from '../../trainer/tensorflow/runtime.ts';
import type { Tensor } from '../../trainer/tensorflow/tfjs.ts';
import { CounterRandom } from '../../trainer/random.ts';

export interface Value {
  readonly spec: TensorSpec;
  readonly bytes: ArrayBufferView;
}

let opened: Runtime | undefined;

/** The runtime that the tests of a file share. */
export function runtime(): Runtime {
  return (opened ??= Runtime.open({ threads: 1 }));
}

export function spec(dtype: DType, ...shape: number[]): TensorSpec {
  return { dtype, shape };
}

export function float32(values: readonly number[], shape: readonly number[] = [values.length]): Value {
  return { spec: { dtype: 'float32', shape }, bytes: Float32Array.from(values) };
}

/** Values in [-2, 2), another sequence for each `stream`. */
export function noise(stream: number, ...shape: number[]): Value {
  const bytes = new Float32Array(shape.reduce((product, n) => product * n, 1));
  new CounterRandom(1, stream).fillUniform(bytes, -2, 2);
  return { spec: { dtype: 'float32', shape }, bytes };
}

export function toFloats(bytes: Uint8Array): number[] {
  return [...new Float32Array(bytes.slice().buffer)];
}

/** Traces a function of tensors, all in one group. */
export function trace(name: string, specs: readonly TensorSpec[], body: (...xs: Tensor[]) => Tensor[]): GraphFunction {
  return runtime().trace(name, [specs], (xs = []) => [body(...xs)]);
}

/** Calls a function of one group and reads its answer. */
export async function callAndRead(fn: GraphFunction, values: readonly Value[]): Promise<Uint8Array[]> {
  const inputs = runtime().tensors(values);
  const outputs = only(await fn.call([inputs]));
  const bytes = await outputs.readAll();
  inputs.dispose();
  outputs.dispose();
  return bytes;
}

/** Traces, calls and reads once. */
export async function evaluate(values: readonly Value[], body: (...xs: Tensor[]) => Tensor[]): Promise<Uint8Array[]> {
  const fn = trace(
    'evaluate',
    values.map(({ spec }) => spec),
    body,
  );
  try {
    return await callAndRead(fn, values);
  } finally {
    fn.dispose();
  }
}

/** The only element of a list of one. */
export function only<T>(list: readonly T[]): T {
  if (list.length !== 1) throw new Error(`expected one element, got ${list.length}`);
  return list[0] as T;
}
