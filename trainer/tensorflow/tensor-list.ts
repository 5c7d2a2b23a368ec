import { dtypeCode } from './dtypes.ts';
import { TensorUseError } from './errors.ts';
import type { NativeAddon, NativeRuntime, NativeTensors } from './native.ts';
import { byteLength, describeSpec, type TensorSpec } from './tensor-spec.ts';

/**
 * Immutable tensors that stay in TensorFlow. Lists share their tensors, so slices, joins and snapshots (just keep the
 * list) cost nothing; a tensor is freed when the last list that holds it is disposed of or collected.
 */
export class TensorList {
  readonly specs: readonly TensorSpec[];
  readonly #addon: NativeAddon;
  readonly #native: NativeTensors;
  #disposed = false;

  /** For this room; others get lists from a Runtime, a GraphFunction or another list. */
  constructor(addon: NativeAddon, native: NativeTensors, specs: readonly TensorSpec[]) {
    this.#addon = addon;
    this.#native = native;
    this.specs = specs;
  }

  /** Copies values in. Throws {@link TensorUseError} if a buffer has another length than its spec says. */
  static of(
    addon: NativeAddon,
    runtime: NativeRuntime,
    values: readonly { readonly spec: TensorSpec; readonly bytes: ArrayBufferView }[],
  ): TensorList {
    values.forEach(({ spec, bytes }, i) => {
      const expected = byteLength(spec);
      if (bytes.byteLength === expected) return;
      throw new TensorUseError(`Tensor ${i}: ${describeSpec(spec)} takes ${expected} bytes, not ${bytes.byteLength}`);
    });
    const specs = values.map(({ spec }) => spec);
    const native = addon.createTensors(
      runtime,
      specs.map(({ dtype }) => dtypeCode(dtype)),
      specs.map(({ shape }) => shape),
      values.map(({ bytes }) => bytes),
    );
    return new TensorList(addon, native, specs);
  }

  /** The tensors of all lists in a row, shared with them. There must be at least one list. */
  static concat(lists: readonly TensorList[]): TensorList {
    const [first] = lists;
    if (!first) throw new TensorUseError('TensorList.concat needs at least one list');
    return new TensorList(
      first.#addon,
      first.#addon.concatTensors(lists.map((list) => list.native())),
      lists.flatMap((list) => list.specs),
    );
  }

  get length(): number {
    return this.specs.length;
  }

  /** The native list, for this room. Throws {@link TensorUseError} after {@link dispose}. */
  native(): NativeTensors {
    if (this.#disposed) throw new TensorUseError('A tensor list was used after it was disposed of');
    return this.#native;
  }

  /** A copy of the values of tensor `i`, little-endian and row-major. Off the main thread, beside calls that run. */
  async read(i: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!(i in this.specs)) throw new TensorUseError(`There is no tensor ${i} in a list of ${this.length}`);
    const [buffer] = await this.#addon.readTensors(this.native(), [i]);
    return new Uint8Array(buffer as ArrayBuffer);
  }

  /** As {@link read}, of a float32 tensor. */
  async readFloats(i: number): Promise<Float32Array<ArrayBuffer>> {
    const { buffer } = await this.read(i);
    return new Float32Array(buffer);
  }

  /** Copies of all values; as {@link read}. */
  async readAll(): Promise<Uint8Array<ArrayBuffer>[]> {
    const indices = this.specs.map((_, i) => i);
    const buffers = await this.#addon.readTensors(this.native(), indices);
    return buffers.map((buffer) => new Uint8Array(buffer));
  }

  /** Tensors `from` up to but without `to`, shared with this list. */
  slice(from: number, to: number = this.length): TensorList {
    if (!(from >= 0 && from <= to && to <= this.length)) {
      throw new TensorUseError(`There is no slice ${from}..${to} in a list of ${this.length}`);
    }
    return new TensorList(this.#addon, this.#addon.sliceTensors(this.native(), from, to), this.specs.slice(from, to));
  }

  /** Lets go of the tensors now instead of at garbage collection. Reads and calls in flight aren't disturbed. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#addon.disposeTensors(this.#native);
  }
}
