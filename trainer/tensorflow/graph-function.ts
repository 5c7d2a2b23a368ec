import { callError } from './call-error.ts';
import { PeerLostError, TensorUseError } from './errors.ts';
import type { NativeAddon, NativeFunction, NativeRuntime } from './native.ts';
import type { CodeLocation } from './source-location.ts';
import { TensorList } from './tensor-list.ts';
import { describeSpec, sameSpec, type TensorSpec } from './tensor-spec.ts';

/** What a finished trace hands to its function. */
export interface FinishedTrace {
  readonly name: string;
  readonly inputs: readonly (readonly TensorSpec[])[];
  readonly outputs: readonly (readonly TensorSpec[])[];
  readonly nodes: number;
  readonly collectives: number;
  readonly locations: ReadonlyMap<string, CodeLocation>;
  /** How long a call may take, since it waits for other ranks; undefined if it holds no collectives. */
  readonly timeoutSeconds: number | undefined;
  /** Whether they go through memory that all ranks share. */
  readonly shared: boolean;
}

/** A traced function: one TensorFlow function, one native call. */
export class GraphFunction {
  readonly name: string;
  /** What {@link call} takes and answers, group by group. */
  readonly inputs: readonly (readonly TensorSpec[])[];
  readonly outputs: readonly (readonly TensorSpec[])[];
  /** Nodes of the graph as it was traced, before TensorFlow's optimisers. */
  readonly nodes: number;
  /** Collectives of a call: reductions and gathers, each a message to every rank's ring. */
  readonly collectives: number;
  readonly #addon: NativeAddon;
  readonly #runtime: NativeRuntime;
  readonly #native: NativeFunction;
  readonly #trace: FinishedTrace;
  /** Lists of specs that were compared before: the state of a step comes in with the same list every time. */
  readonly #checked: WeakSet<readonly TensorSpec[]>[];

  /** For this room; others use Runtime.trace. */
  constructor(addon: NativeAddon, runtime: NativeRuntime, native: NativeFunction, trace: FinishedTrace) {
    this.#addon = addon;
    this.#runtime = runtime;
    this.#native = native;
    this.#trace = trace;
    this.name = trace.name;
    this.inputs = trace.inputs;
    this.outputs = trace.outputs;
    this.nodes = trace.nodes;
    this.collectives = trace.collectives;
    this.#checked = trace.inputs.map(() => new WeakSet());
  }

  /**
   * Executes the function on the runtime's own thread, after the calls before it. The inputs may be disposed of as soon
   * as this returns.
   *
   * Rejects with {@link TensorUseError} if the inputs aren't those it was traced for, with the signal's reason when
   * it is aborted (a function with collectives can't be called again then: TensorFlow aborts them for good), with
   * PeerLostError when a collective lost a rank or the call took longer than the collectives' timeout, else with
   * TensorFlowError.
   */
  async call(inputs: readonly TensorList[], options: { readonly signal?: AbortSignal } = {}): Promise<TensorList[]> {
    const { signal } = options;
    signal?.throwIfAborted();
    this.#check(inputs);
    const groups = this.outputs.map((group) => group.length);
    const natives = inputs.map((list) => list.native());
    const { timeoutSeconds, shared } = this.#trace;
    let cancel: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    let late = false;
    try {
      const { promise, call } = this.#addon.callFunction(this.#runtime, this.#native, natives, groups);
      const end = (): void => {
        this.#addon.cancelCall(call);
        // TensorFlow can't cancel a kernel of ours.
        if (shared && timeoutSeconds !== undefined) this.#addon.leaveExchange();
      };
      cancel = end;
      signal?.addEventListener('abort', end, { once: true });
      if (timeoutSeconds !== undefined) {
        timer = setTimeout(() => {
          late = true;
          end();
        }, 1000 * timeoutSeconds);
      }
      const lists = await promise;
      return lists.map((list, i) => new TensorList(this.#addon, list, this.outputs[i] as readonly TensorSpec[]));
    } catch (error) {
      signal?.throwIfAborted();
      if (late) {
        const what = `${this.name}: the ranks did not finish it together within ${timeoutSeconds} s`;
        throw new PeerLostError('TF_DEADLINE_EXCEEDED', what, {}, { cause: error });
      }
      throw callError(error, this.name, this.#trace.locations, timeoutSeconds !== undefined);
    } finally {
      clearTimeout(timer);
      if (cancel) signal?.removeEventListener('abort', cancel);
    }
  }

  /** Removes the function from TensorFlow once its calls in flight have ended. */
  dispose(): void {
    this.#addon.disposeFunction(this.#native);
  }

  #check(inputs: readonly TensorList[]): void {
    if (inputs.length !== this.inputs.length) {
      throw new TensorUseError(`${this.name} takes ${this.inputs.length} groups of tensors, not ${inputs.length}`);
    }
    inputs.forEach((list, group) => {
      const checked = this.#checked[group] as WeakSet<readonly TensorSpec[]>;
      if (checked.has(list.specs)) return;
      this.#checkGroup(group, list.specs);
      checked.add(list.specs);
    });
  }

  #checkGroup(group: number, specs: readonly TensorSpec[]): void {
    const expected = this.inputs[group] as readonly TensorSpec[];
    if (specs.length !== expected.length) {
      throw new TensorUseError(
        `${this.name}, group ${group}: it takes ${expected.length} tensors, not ${specs.length}`,
      );
    }
    specs.forEach((spec, i) => {
      const wanted = expected[i] as TensorSpec;
      if (sameSpec(spec, wanted)) return;
      throw new TensorUseError(
        `${this.name}, group ${group}, tensor ${i}: it takes ${describeSpec(wanted)}, not ${describeSpec(spec)}`,
      );
    });
  }
}
