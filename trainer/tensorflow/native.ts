/**
 * The contract of our native addon (trainer/tensorflow/native), the only way from TypeScript to TensorFlow's C API.
 *
 * Rules of all functions:
 * - Main thread of the process only. Nothing blocks but {@link NativeAddon.joinCluster} (it starts a server).
 * - Absent values are null, never undefined. Dtypes are TensorFlow's numbers (dtypes.ts). Shapes are whole numbers ≥ 0.
 * - Failures are thrown, or reject the promise, as an `Error` with a `code`: TensorFlow's status (`TF_UNAVAILABLE`, …),
 *   `NATIVE_DISPOSED` for an object used after its end, `NATIVE_MISUSE` for arguments that only a defect can cause.
 * - Typed arrays that are passed in are copied before the function returns.
 *
 * Ownership: the objects below are externals that hold a counted reference. Garbage collection or the dispose function
 * gives it back, whichever comes first; the thing itself ends with its last reference, so a call in flight keeps its
 * function and its inputs alive whatever JavaScript does. V8 is told of the bytes behind tensors.
 *
 * Threads: calls of a runtime run one after the other, in the order of {@link NativeAddon.callFunction}, on a thread of
 * their own; reads copy on libuv's pool. The event loop stays alive while a call or a read is in flight.
 *
 * End of the process: it doesn't wait for calls in flight, which end with it. So it ends without the destructors of C++
 * statics (Linux), which would tear TensorFlow down under them.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../api/errors.ts';
import { NativeAddonError } from './errors.ts';

declare const kind: unique symbol;
/** A TFE context with its executing thread. */
export type NativeRuntime = { readonly [kind]: 'runtime' };
/** A graph under construction. */
export type NativeTrace = { readonly [kind]: 'trace' };
/** A function registered in a runtime's context. */
export type NativeFunction = { readonly [kind]: 'function' };
/** An immutable list of tensor handles. Lists share handles. */
export type NativeTensors = { readonly [kind]: 'tensors' };
/** A call that is queued, running or settled. */
export type NativeCall = { readonly [kind]: 'call' };

/** A symbolic tensor of a trace. */
export interface NativeSymbol {
  /** What later calls name it by; counts from 0 in each trace. */
  readonly index: number;
  readonly dtype: number;
  /** Null where TensorFlow's shape inference leaves a dimension open. */
  readonly shape: number[] | null;
}

/** A node that was added to a trace, with as many of its outputs as were asked for. */
export interface NativeNode {
  /** `<op>_<count>`, which TensorFlow's errors mention. */
  readonly node: string;
  readonly tensors: NativeSymbol[];
}

/** An attribute of an op. Its kind is looked up in the op's definition; a dtype may be a number or a name. */
export interface NativeAttribute {
  readonly name: string;
  readonly value: unknown;
}

export interface NativeAddon {
  /** `2.20.0` */
  tensorflowVersion(): string;
  /** Whether this processor can run the kernels of native/winograd.cc and native/filter_gradient.cc. */
  hasConvolutions(): boolean;
  /** The same in bfloat16. */
  hasBfloat16Convolutions(): boolean;
  /** Whether TensorFlow's kernels multiply bfloat16 in vectors on this processor. */
  multipliesBfloat16(): boolean;

  /**
   * From now on the process ends with its exit code, but without the destructors of what C++ statics there are now. Those
   * of later ones still run.
   */
  leaveWithoutDestructors(): void;

  /** Opens a context of its own with `threads` threads in each pool. */
  openRuntime(threads: number): NativeRuntime;
  /**
   * Starts the server for collectives, once, before the first call and before any tensor is made; functions may be there.
   * `serverDef`: text form of tensorflow.ServerDef. Throws TensorFlow's status when the server's port is taken.
   */
  joinCluster(runtime: NativeRuntime, serverDef: string): void;
  /**
   * Maps the file by which all ranks of one machine exchange tensors, once a process, on Linux. Its size divides into a header
   * of 4 KiB and two slots a rank; the last rank to map it removes it. Ops `SimsiamAllReduce` and `SimsiamAllGather` can run
   * from then on, in one order on all ranks.
   */
  joinExchange(path: string, rank: number, ranks: number): void;
  /** For good: what waits in such an op ends with `TF_CANCELLED`, on the other ranks with `TF_ABORTED`. */
  leaveExchange(): void;
  /** Whether functions run on a GPU, which is the first one; else they do on the CPU. */
  onGpu(runtime: NativeRuntime): boolean;
  /** Cancels all calls; their promises reject. The runtime can't be used afterwards; tensors can still be read. */
  closeRuntime(runtime: NativeRuntime): void;

  beginTrace(): NativeTrace;
  addPlaceholder(trace: NativeTrace, dtype: number, shape: readonly number[]): NativeNode;
  /** `values`: a typed array of the dtype's layout, for strings an array of UTF-8 bytes. Large uniform ones become Fill. */
  addConstant(trace: NativeTrace, dtype: number, shape: readonly number[], values: unknown): NativeNode;
  /**
   * Adds an op. Attributes that follow from the inputs (T, N, …) are ignored: TensorFlow infers them. Float32 constants
   * that meet bfloat16 or float16 under one type attribute are cast to it. `controls`: tensors whose ops run before.
   */
  addOperation(
    trace: NativeTrace,
    op: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    outputs: number,
    controls: readonly number[],
  ): NativeNode;
  /** Adds to what shape inference knows of a tensor; throws if the two contradict each other. */
  setShape(trace: NativeTrace, tensor: number, shape: readonly number[]): void;
  /** Makes the trace a function of that (unique) name. The inputs must be its placeholders. */
  finishTrace(
    runtime: NativeRuntime,
    trace: NativeTrace,
    name: string,
    inputs: readonly number[],
    outputs: readonly number[],
  ): { function: NativeFunction; nodes: number };
  disposeTrace(trace: NativeTrace): void;

  /**
   * Queues a call. The inputs are the tensors of all lists in a row; the outputs come as lists of `outputGroups`
   * tensors each. The caller may dispose of the inputs at once.
   */
  callFunction(
    runtime: NativeRuntime,
    fn: NativeFunction,
    inputs: readonly NativeTensors[],
    outputGroups: readonly number[],
  ): { promise: Promise<NativeTensors[]>; call: NativeCall };
  /** Ends the call soon, with `TF_CANCELLED` mostly. A collective that waits for a peer ends too. */
  cancelCall(call: NativeCall): void;
  disposeFunction(fn: NativeFunction): void;

  /** Copies values into new tensors in host memory. All three lists are of one length. */
  createTensors(
    runtime: NativeRuntime,
    dtypes: readonly number[],
    shapes: readonly (readonly number[])[],
    values: readonly ArrayBufferView[],
  ): NativeTensors;
  sliceTensors(tensors: NativeTensors, from: number, to: number): NativeTensors;
  concatTensors(tensors: readonly NativeTensors[]): NativeTensors;
  disposeTensors(tensors: NativeTensors): void;
  /** Copies out the values of the tensors at `indices`. */
  readTensors(tensors: NativeTensors, indices: readonly number[]): Promise<ArrayBuffer[]>;
}

const addonPath = fileURLToPath(new URL('../../native/tensorflow.node', import.meta.url));

let loaded: NativeAddon | undefined;

/** The addon, loaded at the first call. Throws {@link NativeAddonError} with the way to mend it. */
export function nativeAddon(): NativeAddon {
  if (loaded) return loaded;
  try {
    loaded = createRequire(import.meta.url)(addonPath) as NativeAddon;
  } catch (error) {
    throw new NativeAddonError(
      `The TensorFlow addon can't be loaded from ${addonPath}: ${messageOf(error)}; run "npm run setup", which builds it ` +
        `(after a change of Node or of the machine run it again)`,
      { cause: error },
    );
  }
  const addon = loaded;
  // Not before: TensorFlow makes statics as it needs them, such as oneDNN's cache of kernels at the first convolution.
  process.once('exit', () => addon.leaveWithoutDestructors());
  return addon;
}
