import type { PretrainSpec } from '../api/run.ts';
import { simSiam, type SimSiam } from '../trainer/model/simsiam.ts';
import { disposeTrained, StateCodec, type PretrainState } from '../trainer/pretrain/state.ts';
import { metric, tracePretrainStep } from '../trainer/pretrain/step.ts';
import { CounterRandom } from '../trainer/random.ts';
import type { GraphFunction, Runtime, TensorList } from '../trainer/tensorflow/runtime.ts';

/** Pre-training steps as the trainer does them, from random weights and on the same random images each time. */
export class StepTrainer {
  readonly model: SimSiam;
  readonly codec: StateCodec;
  readonly step: GraphFunction;
  readonly #inputs: readonly [views: TensorList, controls: TensorList];
  #state: PretrainState;
  #collectiveSeconds = 0;

  private constructor(
    parts: Pick<StepTrainer, 'model' | 'codec' | 'step'>,
    inputs: readonly [TensorList, TensorList],
    state: PretrainState,
  ) {
    this.model = parts.model;
    this.codec = parts.codec;
    this.step = parts.step;
    this.#inputs = inputs;
    this.#state = state;
  }

  /** @param batch images of this rank in a step; `spec.batchSize` is that of all ranks */
  static async open(runtime: Runtime, spec: PretrainSpec, batch: number): Promise<StepTrainer> {
    const { imageSize, batchSize } = spec;
    const model = simSiam(spec);
    const codec = new StateCodec(runtime, model);
    const step = tracePretrainStep({ runtime, model, spec, batch, imageSize });
    const random = new CounterRandom(0);
    const view = { dtype: 'uint8', shape: [batch, imageSize, imageSize, 3] } as const;
    const pixels = (): Uint8Array => Uint8Array.from({ length: batch * imageSize ** 2 * 3 }, () => random.integer(256));
    const views = runtime.tensors([0, 1].map(() => ({ spec: view, bytes: pixels() })));
    const rate = (0.05 * batchSize) / 256;
    const controls = runtime.tensors([
      { spec: { dtype: 'float32', shape: [4] }, bytes: Float32Array.of(rate, rate, 0, 0) },
    ]);
    return new StepTrainer({ model, codec, step }, [views, controls], await codec.initial(0));
  }

  /** After the last step; belongs to the trainer. */
  get state(): PretrainState {
    return this.#state;
  }

  /** What the rank was in collectives for in the last step. */
  get collectiveSeconds(): number {
    return this.#collectiveSeconds;
  }

  /** One step, to the loss on the host, as in training. */
  async train(): Promise<void> {
    const { trainable, momenta, statistics, frozen } = this.#state;
    const outputs = await this.step.call([trainable, momenta, statistics, frozen, ...this.#inputs]);
    const [nextTrainable, nextMomenta, nextStatistics, figures] = outputs as [
      ...[TensorList, TensorList, TensorList, TensorList],
    ];
    const values = await figures.readFloats(0);
    const loss = values[metric.loss]!;
    this.#collectiveSeconds = values[metric.collectiveSeconds]!;
    figures.dispose();
    if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    disposeTrained(this.#state);
    this.#state = { trainable: nextTrainable, momenta: nextMomenta, statistics: nextStatistics, frozen };
  }
}
