/**
 * Makes tfjs record instead of execute while a function is traced. tfjs-node's backend reaches TensorFlow through its
 * `binding` and through `getInputTensorIds`; both are replaced once, and outside a trace behave as before.
 */
import { activeSession } from './active-session.ts';
import { dtypeCode, toldCode } from './dtypes.ts';
import { TracingError } from './errors.ts';
import { eagerConstant, type EagerData } from './eager-constant.ts';
import type { NativeAttribute } from './native.ts';
import { describeCaller } from './source-location.ts';
import { tf } from './tfjs.ts';
import { firstSymbolicId, type TensorMetadata, type TraceSession } from './trace-session.ts';

/** The part of tfjs-node's binding that is replaced. */
interface Binding {
  executeOp(
    op: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[];
  createTensor(shape: readonly number[], dtype: number, values: unknown): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ArrayBufferView;
  readonly TF_INT64: number;
}

/** What tfjs-node's kernels pass as an input: a tensor, or an Int64Scalar with its own values. */
interface KernelInput {
  readonly dataId: object;
  readonly valueArray?: Int32Array;
}

/** The part of tfjs-node's backend that we use. */
export interface Backend {
  binding: Binding;
  readonly tensorMap: { has(dataId: object): boolean; get(dataId: object): EagerData };
  getInputTensorIds(inputs: readonly KernelInput[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
}

let intercepted: Backend | undefined;

/** tfjs-node's backend, intercepted at the first call. */
export function tracingBackend(): Backend {
  return (intercepted ??= intercept(tf.backend() as unknown as Backend));
}

function intercept(backend: Backend): Backend {
  const eager = backend.binding;
  const eagerInputs = backend.getInputTensorIds.bind(backend);
  // A copy, because the binding's own properties are read-only. Its functions want the binding as `this`.
  const copy = Object.fromEntries(
    Object.getOwnPropertyNames(eager).map((name) => {
      const value = (eager as unknown as Record<string, unknown>)[name];
      return [name, typeof value === 'function' ? (value as () => unknown).bind(eager) : value];
    }),
  ) as unknown as Binding;
  const eagerBinding = { ...copy };
  copy.executeOp = (op, attributes, inputs, outputs) => {
    const session = activeSession();
    if (!session) return eagerBinding.executeOp(op, attributes, inputs, outputs);
    if (op === 'Cast' && castsToItself(session, attributes, inputs))
      return session.operation('Identity', [], inputs, outputs);
    return session.operation(op, attributes, inputs, outputs);
  };
  copy.createTensor = (shape, dtype, values) => {
    const session = activeSession();
    return session ? session.constant(dtype, shape, values) : eagerBinding.createTensor(shape, dtype, values);
  };
  copy.deleteTensor = (id) => {
    if (id < firstSymbolicId) eagerBinding.deleteTensor(id);
  };
  copy.tensorDataSync = (id) => {
    if (id >= firstSymbolicId) throw valueRead();
    return eagerBinding.tensorDataSync(id);
  };
  backend.binding = copy;
  backend.getInputTensorIds = (inputs) => {
    const session = activeSession();
    if (session) return inputs.map((input) => inputId(session, backend, eagerBinding, input));
    for (const { dataId } of inputs)
      if (dataId && backend.tensorMap.has(dataId)) refuseSymbolic(backend.tensorMap.get(dataId));
    return eagerInputs(inputs);
  };
  return backend;
}

// tfjs's gradients cast to float32 what they take for float32 already; bfloat16 and float64 must stay what they are.
function castsToItself(
  session: TraceSession,
  attributes: readonly NativeAttribute[],
  inputs: readonly number[],
): boolean {
  const to = attributes.find(({ name }) => name === 'DstT')?.value;
  const from = session.tensor(inputs[0] as number).dtype;
  return to === dtypeCode('float32') && toldCode(from) === to;
}

function inputId(session: TraceSession, backend: Backend, eager: Binding, input: KernelInput): number {
  if (input.valueArray) return session.constant(eager.TF_INT64, [], input.valueArray);
  if (!backend.tensorMap.has(input.dataId)) {
    throw new TracingError(
      `${session.name}: a disposed tensor was used (${describeCaller()}); keep it with tf.keep inside tf.tidy and gradients`,
    );
  }
  const data = backend.tensorMap.get(input.dataId);
  if (data.values === null && data.id >= firstSymbolicId) return data.id;
  // Eager tensors aren't touched: writing them to TensorFlow here would leave a symbolic id in them.
  let id = session.constants.get(input.dataId);
  if (id === undefined) {
    id = eagerConstant(session, data, () => eager.tensorDataSync(data.id));
    session.constants.set(input.dataId, id);
  }
  return id;
}

function refuseSymbolic(data: EagerData): void {
  if (data.values === null && data.id >= firstSymbolicId) {
    throw new TracingError(
      `A symbolic tensor was used outside its trace (${describeCaller()}); return it from the traced function instead`,
    );
  }
}

function valueRead(): TracingError {
  const session = activeSession();
  const where = session ? `while ${session.name} is traced` : 'after its trace';
  return new TracingError(
    `The value of a symbolic tensor was read ${where} (${describeCaller()}); return the tensor and read it after the call`,
  );
}

/** The id that tfjs-node knows a tensor by inside `session`; an eager tensor becomes a constant. */
export function symbolicId(session: TraceSession, tensor: tf.Tensor): number {
  const backend = tracingBackend();
  return inputId(session, backend, backend.binding, tensor);
}
