import type { CollectiveTimes } from './collective-wait.ts';
import { dtypeCode, dtypeOfCode, toldCode, type DType } from './dtypes.ts';
import { tensorFlowError, TracingError } from './errors.ts';
import type {
  NativeAddon,
  NativeAttribute,
  NativeFunction,
  NativeNode,
  NativeRuntime,
  NativeSymbol,
  NativeTrace,
} from './native.ts';
import { callerLocation, type CodeLocation, describeCaller } from './source-location.ts';
import type { TensorSpec } from './tensor-spec.ts';

/** How the ranks of a runtime talk to each other; what collectives need to know while they are traced. */
export interface CollectiveGroup {
  readonly rank: number;
  readonly world: number;
  readonly hint: 'auto' | 'ring' | 'nccl';
  readonly timeoutSeconds: number;
  /** Whether each collective waits for the one before it: all but gRPC need one order on all ranks. */
  readonly ordered: boolean;
  /** Whether they go through memory that all ranks share. */
  readonly shared: boolean;
}

/** What tfjs's binding answers for an output; `dtype` is what tfjs is told. */
export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** A symbolic tensor: a native one plus the id that tfjs knows it by. */
export interface TracedTensor {
  readonly id: number;
  readonly index: number;
  /** TensorFlow's number of the real dtype, whatever tfjs was told. */
  readonly dtype: number;
  readonly shape: readonly number[] | null;
}

/** The first id of symbolic tensors. tfjs-node's own ids count from 0 and stay below. */
export const firstSymbolicId = 2 ** 30;

// Never used again in another trace, so a tensor that outlived its trace is recognised.
let nextId = firstSymbolicId;

// Outputs whose shape depends on the device and which only go back into TensorFlow (cuDNN's workspace).
const opaqueOutputs: Readonly<Record<string, number>> = { FusedBatchNormV3: 5 };

/** One function while it is traced: a native graph and the names of its tensors on tfjs's side. */
export class TraceSession {
  readonly name: string;
  readonly group: CollectiveGroup;
  /** Whether the function will run on a GPU, whose fused kernels differ. */
  readonly gpu: boolean;
  /** Node name → where our code added it. */
  readonly locations = new Map<string, CodeLocation>();
  /** Id of the constant that stands for an eager tensor's data. */
  readonly constants = new WeakMap<object, number>();
  readonly native: NativeTrace;
  readonly #addon: NativeAddon;
  readonly #tensors = new Map<number, TracedTensor>();
  /** The reductions and gathers so far; their order is the same on every rank. */
  readonly collectives: number[] = [];
  /** When each of them began and ended, where that is measured. */
  readonly collectiveTimes: CollectiveTimes[] = [];
  readonly #reserveKeys: () => (position: number) => number;
  #keys: ((position: number) => number) | undefined;

  /** `reserveKeys` is asked at the first collective for the keys of this function's collectives by position. */
  constructor(
    addon: NativeAddon,
    name: string,
    group: CollectiveGroup,
    gpu: boolean,
    reserveKeys: () => (position: number) => number,
  ) {
    this.#addon = addon;
    this.#reserveKeys = reserveKeys;
    this.name = name;
    this.group = group;
    this.gpu = gpu;
    this.native = addon.beginTrace();
  }

  placeholder(spec: TensorSpec): TensorMetadata {
    const code = dtypeCode(spec.dtype);
    const node = this.#build('Placeholder', () => this.#addon.addPlaceholder(this.native, code, spec.shape));
    return this.#metadata('Placeholder', node)[0] as TensorMetadata;
  }

  /** Adds a constant; `dtype` is TensorFlow's number. */
  constant(dtype: number, shape: readonly number[], values: unknown): number {
    const node = this.#build('Const', () => this.#addon.addConstant(this.native, dtype, shape, values));
    return (this.#metadata('Const', node)[0] as TensorMetadata).id;
  }

  /** `shapes`: of the outputs, where the caller knows more than TensorFlow's inference. */
  operation(
    op: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    outputs: number,
    options: { readonly controls?: readonly number[]; readonly shapes?: readonly (readonly number[])[] } = {},
  ): TensorMetadata[] {
    const indices = inputs.map((id) => this.tensor(id).index);
    const controls = (options.controls ?? []).map((id) => this.tensor(id).index);
    const node = this.#build(op, () => {
      const added = this.#addon.addOperation(this.native, op, attributes, indices, outputs, controls);
      options.shapes?.forEach((shape, i) => {
        const symbol = added.tensors[i] as NativeSymbol;
        this.#addon.setShape(this.native, symbol.index, shape);
        added.tensors[i] = { ...symbol, shape: [...shape] };
      });
      return added;
    });
    return this.#metadata(op, node);
  }

  /** The symbolic tensor of an id. Throws {@link TracingError} for one of another trace. */
  tensor(id: number): TracedTensor {
    const tensor = this.#tensors.get(id);
    if (!tensor)
      throw new TracingError(
        `${this.name}: a symbolic tensor of another trace was used (${describeCaller()}); return it from there and pass it in`,
      );
    return tensor;
  }

  /** Makes the trace a function of these placeholders and outputs. */
  finish(
    runtime: NativeRuntime,
    inputs: readonly number[],
    outputs: readonly number[],
  ): { function: NativeFunction; nodes: number } {
    const indices = (ids: readonly number[]): number[] => ids.map((id) => this.tensor(id).index);
    try {
      return this.#addon.finishTrace(runtime, this.native, this.name, indices(inputs), indices(outputs));
    } catch (error) {
      throw error instanceof TracingError ? error : tensorFlowError(error, {}, `${this.name}: `);
    }
  }

  spec(id: number): TensorSpec {
    const { dtype, shape } = this.tensor(id);
    if (shape === null) throw new TracingError(`${this.name}: an output's shape depends on values`);
    return { dtype: realDType(dtype), shape };
  }

  /** The instance key of the collective that comes next. */
  nextInstanceKey(): number {
    this.#keys ??= this.#reserveKeys();
    return this.#keys(this.collectives.length);
  }

  #metadata(op: string, { tensors }: NativeNode): TensorMetadata[] {
    return tensors.map((symbol, i) => {
      const shape = symbol.shape ?? (opaqueOutputs[op] === i ? [0] : undefined);
      if (shape === undefined) {
        throw new TracingError(
          `${this.name}: the shape of output ${i} of ${op} depends on values, which a traced function doesn't have ` +
            `(${describeCaller()}); use an op whose result has a fixed shape`,
        );
      }
      const id = nextId++;
      this.#tensors.set(id, { id, index: symbol.index, dtype: symbol.dtype, shape: symbol.shape });
      return { id, shape, dtype: toldCode(symbol.dtype) };
    });
  }

  #build(op: string, add: () => NativeNode): NativeNode {
    let node: NativeNode;
    try {
      node = add();
    } catch (error) {
      throw tensorFlowError(error, { op, tracedAt: describeCaller() });
    }
    const location = callerLocation();
    if (location) this.locations.set(node.node, location);
    return node;
  }
}

/** The real dtype of a TensorFlow number. */
export function realDType(code: number): DType {
  const dtype = dtypeOfCode(code);
  if (dtype === undefined) throw new TracingError(`A tensor of TensorFlow's dtype ${code} can't cross the boundary`);
  return dtype;
}
