import { requireSession } from './active-session.ts';
import type { DType } from './dtypes.ts';
import { symbolicId, tracingBackend } from './interception.ts';
import { tf } from './tfjs.ts';
import { realDType as dtypeOf } from './trace-session.ts';

/** What an attribute of an op takes: the op's definition says which. Dtypes by name. */
export type AttrValue =
  | number
  | boolean
  | string
  | readonly number[]
  | readonly boolean[]
  | readonly string[]
  | readonly (readonly number[])[];

/**
 * Adds any TensorFlow op to the function that is traced; answers its first output.
 *
 * Attributes that inputs determine (T, N, Tin) need no mention and are ignored. It has no gradient: wrap it in
 * `tf.customGrad`. Throws a TracingError outside a trace and a TensorFlowError if the inputs don't fit.
 */
export function rawOp(
  op: string,
  inputs: readonly tf.Tensor[],
  attrs: Readonly<Record<string, AttrValue>> = {},
): tf.Tensor {
  return rawOps(op, inputs, attrs, 1)[0] as tf.Tensor;
}

/** As {@link rawOp}, for an op with several outputs; answers the first `outputs` of them. */
export function rawOps(
  op: string,
  inputs: readonly tf.Tensor[],
  attrs: Readonly<Record<string, AttrValue>>,
  outputs: number,
): tf.Tensor[] {
  return addOp(op, inputs, attrs, outputs).map(({ tensor }) => tensor);
}

/** As {@link rawOps}, with control edges and known shapes, and the ids of the outputs. For this room. */
export function addOp(
  op: string,
  inputs: readonly tf.Tensor[],
  attrs: Readonly<Record<string, AttrValue>>,
  outputs: number,
  options: { readonly controls?: readonly number[]; readonly shapes?: readonly (readonly number[])[] } = {},
): { id: number; tensor: tf.Tensor }[] {
  const session = requireSession(`rawOp ${op}`);
  const attributes = Object.entries(attrs).map(([name, value]) => ({ name, value }));
  const ids = inputs.map((input) => symbolicId(session, input));
  const backend = tracingBackend();
  return session
    .operation(op, attributes, ids, outputs, options)
    .map((metadata) => ({ id: metadata.id, tensor: backend.createOutputTensor(metadata) }));
}

/** The dtype that a tensor really has in the function, which tfjs may not know (bfloat16, uint8, …). */
export function realDType(x: tf.Tensor): DType {
  const session = requireSession('realDType');
  return dtypeOf(session.tensor(symbolicId(session, x)).dtype);
}

const floating: readonly DType[] = ['float32', 'float64', 'bfloat16'];

/**
 * `x` in another dtype, decided by the real dtypes (`tf.cast` believes that bfloat16 is float32 already).
 * Differentiable between floating dtypes: the gradient is cast back. Other casts stop gradients.
 */
export function cast(x: tf.Tensor, to: DType): tf.Tensor {
  const from = realDType(x);
  if (from === to) return x;
  if (!floating.includes(from) || !floating.includes(to)) return castOnly(x, to);
  const differentiable = tf.customGrad((...args) => {
    const [input] = args as [tf.Tensor];
    return { value: castOnly(input, to), gradFunc: (dy: tf.Tensor) => castOnly(dy, from) };
  });
  return differentiable(x);
}

/**
 * {@link cast} without a gradient, once `after` is there. TensorFlow makes one of all casts of a tensor that wait for nothing, and
 * keeps what it makes until the last reader is done.
 */
export function castOnly(x: tf.Tensor, to: DType, after: readonly tf.Tensor[] = []): tf.Tensor {
  const session = requireSession('cast');
  const controls = after.map((tensor) => symbolicId(session, tensor));
  return addOp('Cast', [x], { DstT: to, Truncate: false }, 1, { controls })[0]!.tensor;
}
