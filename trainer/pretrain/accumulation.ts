import type { Runtime, TensorList } from '../tensorflow/runtime.ts';
import { byteLength, type TensorSpec } from '../tensorflow/tensor-spec.ts';
import type { ViewsBatch } from './loop.ts';
import type { PretrainState } from './state.ts';
import { accumulatedFigures, traceAccumulation, type StepOptions } from './step.ts';

/** What the parts of a batch before its last one give to the step: running statistics, gradients and figures. */
export interface Accumulated {
  readonly statistics: TensorList;
  readonly sums: readonly [gradients: TensorList, figures: TensorList];
}

/**
 * Adds up the parts of a batch that are too large for the memory together. All see the same weights, so the gradient is
 * that of the mean loss over the whole batch; what differs from one large batch is batch norm, which is over the images
 * of a part, on all ranks together.
 */
export class Accumulation {
  readonly #function: ReturnType<typeof traceAccumulation>;
  readonly #zeros: readonly [TensorList, TensorList];
  readonly #parts: number;
  #added = 0;
  #so: Accumulated | undefined;

  /** @param options Those of the step, with its number of parts. */
  constructor(options: StepOptions & { readonly parts: number }, trainable: readonly TensorSpec[]) {
    this.#parts = options.parts;
    this.#function = traceAccumulation(options);
    this.#zeros = [zeros(options.runtime, trainable), zeros(options.runtime, accumulatedFigures(options))];
  }

  /** Whether the next part isn't the last one of its batch. */
  get wantsMore(): boolean {
    return this.#added < this.#parts - 1;
  }

  /** Adds a part. `images` are its views; the state is only borrowed. */
  async add(state: PretrainState, images: TensorList): Promise<void> {
    const before = this.#so;
    const statistics = before?.statistics ?? state.statistics;
    const sums = before?.sums ?? this.#zeros;
    const outputs = await this.#function.call([state.trainable, statistics, state.frozen, images, ...sums]);
    const [moved, gradients, figures] = outputs as [TensorList, TensorList, TensorList];
    disposeAccumulated(before);
    this.#so = { statistics: moved, sums: [gradients, figures] };
    this.#added += 1;
  }

  /** What was added since the last call; to be disposed of by {@link disposeAccumulated}. */
  take(): Accumulated {
    const taken = this.#so;
    if (!taken) throw new TypeError('nothing was accumulated');
    this.#so = undefined;
    this.#added = 0;
    return taken;
  }

  dispose(): void {
    disposeAccumulated(this.#so);
    for (const list of this.#zeros) list.dispose();
    this.#function.dispose();
  }
}

export function disposeAccumulated(accumulated: Accumulated | undefined): void {
  for (const list of accumulated ? [accumulated.statistics, ...accumulated.sums] : []) list.dispose();
}

interface PartLoader {
  readonly stepsPerEpoch: number;
  epoch(epoch: number, fromStep?: number): AsyncIterable<ViewsBatch>;
}

/**
 * A loader of parts as one of steps of several parts each. Parts that fill no step wait for other epochs, as images do
 * that fill no batch.
 */
export function inParts(loader: PartLoader, parts: number): PartLoader {
  if (parts === 1) return loader;
  const stepsPerEpoch = Math.floor(loader.stepsPerEpoch / parts);
  return {
    stepsPerEpoch,
    async *epoch(epoch, fromStep = 0) {
      let left = (stepsPerEpoch - fromStep) * parts;
      for await (const part of loader.epoch(epoch, fromStep * parts)) {
        yield part;
        if (--left === 0) return;
      }
    },
  };
}

function zeros(runtime: Runtime, specs: readonly TensorSpec[]): TensorList {
  return runtime.tensors(specs.map((spec) => ({ spec, bytes: new Uint8Array(byteLength(spec)) })));
}
