import { withSession } from './active-session.ts';
import { type Cluster, type CollectiveOptions, serverDef } from './cluster.ts';
import { tensorFlowError, TensorUseError, TracingError } from './errors.ts';
import { GraphFunction } from './graph-function.ts';
import { InstanceKeys } from './instance-keys.ts';
import { symbolicId, tracingBackend } from './interception.ts';
import { type NativeAddon, nativeAddon, type NativeRuntime } from './native.ts';
import { TensorList } from './tensor-list.ts';
import type { TensorSpec } from './tensor-spec.ts';
import { tf } from './tfjs.ts';
import { type CollectiveGroup, TraceSession } from './trace-session.ts';

export { GraphFunction } from './graph-function.ts';
export { TensorList } from './tensor-list.ts';
export type { TensorSpec } from './tensor-spec.ts';

interface CommonOptions {
  /**
   * A file in memory, where all ranks are on this machine and on its cores (launch/exchange-file.ts): they exchange tensors by
   * it and talk over no network. A process can have one such runtime.
   */
  readonly exchange?: string | undefined;
  /** Threads of each of TensorFlow's two pools. Results on CPU depend on it. See tfjs.ts for who must agree. */
  readonly threads: number;
  /** Default: hint `auto`, 300 s. */
  readonly collective?: CollectiveOptions;
}

export interface RuntimeOptions extends CommonOptions {
  /** Left out: this process is on its own. */
  readonly cluster?: Cluster;
}

export interface UnjoinedOptions extends CommonOptions {
  readonly rank: number;
  /** Number of ranks. */
  readonly world: number;
}

/** A TensorFlow context of our own, in which traced functions run. One a process is usual. */
export class Runtime {
  readonly rank: number;
  /** Number of ranks. */
  readonly world: number;
  readonly gpu: boolean;
  readonly #threads: number;
  readonly #addon: NativeAddon;
  readonly #native: NativeRuntime;
  readonly #group: CollectiveGroup;
  readonly #exchange: string | undefined;
  readonly #keys = new InstanceKeys();
  readonly #traced = new Map<string, number>();
  #closed = false;

  private constructor(addon: NativeAddon, options: UnjoinedOptions) {
    const { threads, rank, world, exchange, collective = { hint: 'auto', timeoutSeconds: 300 } } = options;
    this.rank = rank;
    this.world = world;
    this.#threads = threads;
    this.#addon = addon;
    this.#native = addon.openRuntime(threads);
    this.gpu = addon.onGpu(this.#native);
    const shared = exchange !== undefined;
    this.#exchange = exchange;
    // With NCCL, and where the only thread waits, all ranks must start their collectives in one order; the gRPC ring is faster
    // without.
    const ordered = shared || collective.hint === 'nccl' || (collective.hint === 'auto' && this.gpu);
    this.#group = { rank, world, ordered, shared, ...collective };
  }

  /**
   * Opens a context and, with more than one rank, the server for collectives. Doesn't wait for the other ranks: the
   * first collective does. Throws TensorFlowError, for one when the port is taken, and NativeAddonError.
   */
  static open({ cluster, ...options }: RuntimeOptions): Runtime {
    const { rank, addresses } = cluster ?? { rank: 0, addresses: [''] };
    const runtime = Runtime.openUnjoined({ ...options, rank, world: addresses.length });
    runtime.join(addresses);
    return runtime;
  }

  /**
   * Opens a context for a rank whose cluster isn't known yet. Functions can be traced in it; before anything else it
   * must {@link join}. Throws as {@link open}.
   */
  static openUnjoined(options: UnjoinedOptions): Runtime {
    const addon = nativeAddon();
    try {
      return new Runtime(addon, options);
    } catch (error) {
      throw tensorFlowError(error, {}, "the runtime can't be opened: ");
    }
  }

  /**
   * Starts the server for collectives, or opens the memory for them; without other ranks there is nothing to do.
   * @param addresses of all ranks: `host:port`
   */
  join(addresses: readonly string[]): void {
    if (this.world === 1) return;
    const { rank } = this;
    try {
      if (this.#exchange !== undefined) this.#addon.joinExchange(this.#exchange, rank, this.world);
      else this.#addon.joinCluster(this.#native, serverDef({ rank, addresses }, this.#threads, this.#group.hint));
    } catch (error) {
      throw tensorFlowError(error, {}, `the runtime can't be opened at ${addresses[rank]}: `);
    }
  }

  /**
   * Traces `body` once into a function. It gets symbolic tensors of `inputs`, group by group, and answers groups of
   * tensors. Nothing executes: shapes come from TensorFlow's inference. tfjs believes that bfloat16 and float64 are
   * float32, and that uint8 and int64 are int32; the function has the real dtypes. Tensors from outside become
   * constants. What the body makes is disposed of at the end of the trace, but for what it gave to tf.keep.
   *
   * Throws TracingError when a value is read, a symbolic tensor of another trace is used, or a shape depends on values;
   * TensorFlowError when an op refuses its inputs.
   */
  trace(
    name: string,
    inputs: readonly (readonly TensorSpec[])[],
    body: (...groups: tf.Tensor[][]) => tf.Tensor[][],
  ): GraphFunction {
    this.#requireOpen();
    const unique = this.#uniqueName(name);
    const session = new TraceSession(this.#addon, unique, this.#group, this.gpu, () => this.#keys.reserve(unique));
    try {
      return withSession(session, () => scoped(unique, () => this.#record(session, inputs, body)));
    } finally {
      this.#addon.disposeTrace(session.native);
    }
  }

  /** Copies values into TensorFlow: row-major, little-endian, of the length that each spec says. */
  tensors(values: readonly { readonly spec: TensorSpec; readonly bytes: ArrayBufferView }[]): TensorList {
    this.#requireOpen();
    return TensorList.of(this.#addon, this.#native, values);
  }

  /** Cancels the calls in flight and refuses new ones. Tensors can still be read. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#addon.closeRuntime(this.#native);
    if (this.#group.shared) this.#addon.leaveExchange();
  }

  #record(
    session: TraceSession,
    inputs: readonly (readonly TensorSpec[])[],
    body: (...groups: tf.Tensor[][]) => tf.Tensor[][],
  ): GraphFunction {
    const backend = tracingBackend();
    const placeholders = inputs.map((group) => group.map((spec) => session.placeholder(spec)));
    const results = body(...placeholders.map((group) => group.map((metadata) => backend.createOutputTensor(metadata))));
    const outputs = results.map((group) => group.map((tensor) => symbolicId(session, tensor)));
    const specs = outputs.map((group) => group.map((id) => session.spec(id)));
    const ids = placeholders.flat().map(({ id }) => id);
    const finished = session.finish(this.#native, ids, outputs.flat());
    return new GraphFunction(this.#addon, this.#native, finished.function, {
      name: session.name,
      inputs,
      outputs: specs,
      nodes: finished.nodes,
      collectives: session.collectives.length,
      locations: session.locations,
      timeoutSeconds: session.collectives.length > 0 ? this.#group.timeoutSeconds : undefined,
      shared: this.#group.shared,
    });
  }

  // Function names are unique in a context; ranks that trace in the same order agree on them.
  #uniqueName(name: string): string {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name))
      throw new TracingError(`"${name}" can't name a function: letters, digits and _ only`);
    const earlier = this.#traced.get(name) ?? 0;
    this.#traced.set(name, earlier + 1);
    return earlier === 0 ? name : `${name}__${earlier + 1}`;
  }

  #requireOpen(): void {
    if (this.#closed) throw new TensorUseError('The runtime was closed before');
  }
}

/** Runs `body` in a scope of tfjs's memory management, which disposes of what it made and didn't keep. */
function scoped<T>(name: string, body: () => T): T {
  tf.engine().startScope(name);
  try {
    return body();
  } finally {
    tf.engine().endScope();
  }
}
