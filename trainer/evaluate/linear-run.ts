import { cosineLearningRate } from '../optimize/schedule.ts';
import type { TensorList } from '../tensorflow/runtime.ts';
import { percent, type LabelledBatch } from './batches.ts';
import { requireFiniteLoss } from './diverged.ts';
import { labelledSpecs, type LinearFunctions, type Trained } from './linear-functions.ts';
import { headSums } from './linear-head.ts';
import type { LinearEvaluationOptions, LinearOutcome } from './linear-options.ts';
import { readTrained, trainedOf, type LinearRecord, type LinearState } from './linear-state.ts';
import { sumsOverRanks } from './rank-sums.ts';
import { disposing, floatTensors } from './tensors.ts';

/** A linear evaluation that runs: its state in native form while it moves. */
export class LinearRun {
  readonly #options: LinearEvaluationOptions;
  readonly #functions: LinearFunctions;
  #trained: Trained;
  #epoch: number;
  #step: number;
  #sums: readonly number[];
  #best: LinearRecord | null;

  constructor(options: LinearEvaluationOptions, functions: LinearFunctions) {
    const { runtime, from } = options;
    this.#options = options;
    this.#functions = functions;
    this.#trained = trainedOf(runtime, from);
    this.#epoch = from.epoch;
    this.#step = from.step;
    this.#sums = from.sums;
    this.#best = from.best;
  }

  async run(): Promise<LinearOutcome> {
    try {
      if (this.#options.evaluateOnly) await this.#evaluate();
      else
        while (this.#epoch < this.#options.epochs) {
          if (await this.#trainEpoch()) return { outcome: 'stopped', state: await this.#snapshot() };
          await this.#finishEpoch();
        }
      return { outcome: 'finished', state: await this.#snapshot() };
    } finally {
      const { parameters, momenta, statistics } = this.#trained;
      for (const list of [parameters, momenta, statistics]) list.dispose();
    }
  }

  /** Whether a rank asked to stop. */
  async #trainEpoch(): Promise<boolean> {
    const { train, epochs, learningRate: initial, backboneLearningRate = 0, onStep, clock } = this.#options;
    if (this.#step >= train.stepsPerEpoch) return false;
    const learningRate = cosineLearningRate(initial, this.#epoch, epochs);
    const backboneRate = cosineLearningRate(backboneLearningRate, this.#epoch, epochs);
    let asked = clock();
    for await (const batch of train.epoch(this.#epoch, this.#step)) {
      const given = clock();
      const { sums, stop } = await this.#trainStep(batch, [learningRate, backboneRate]);
      const milliseconds = { data: given - asked, step: clock() - given };
      this.#step += 1;
      this.#sums = this.#sums.map((sum, i) => sum + sums[i]!);
      const images = sums[headSums.count]!;
      const loss = sums[headSums.loss]! / images;
      requireFiniteLoss(loss, { stage: 'linear', epoch: this.#epoch, step: this.#step });
      const trainTop1 = percent(sums[headSums.top1]!, images);
      const trainTop5 = percent(sums[headSums.top5]!, images);
      const place = { epoch: this.#epoch, step: this.#step, learningRate };
      onStep?.({ ...place, loss, images, trainTop1, trainTop5, milliseconds });
      if (stop) return true;
      asked = clock();
    }
    return false;
  }

  async #trainStep(
    batch: LabelledBatch,
    learningRates: readonly [classifier: number, backbone: number],
  ): Promise<{ sums: Float32Array; stop: boolean }> {
    const { runtime, stopRequested } = this.#options;
    return disposing(async (keep) => {
      const scalars = [...learningRates, stopRequested() ? 1 : 0];
      const control = keep(
        floatTensors(
          runtime,
          scalars.map((value) => ({ shape: [], values: Float32Array.of(value) })),
        ),
      );
      const before = this.#trained;
      const trained = [keep(before.parameters), keep(before.momenta), keep(before.statistics)];
      const inputs = [this.#functions.constants, ...trained, keep(this.#tensorsOf(batch)), control];
      const [parameters, momenta, statistics, results] = await this.#functions.step.call(inputs);
      this.#trained = { parameters: parameters!, momenta: momenta!, statistics: statistics! };
      keep(results!);
      const [stop] = await results!.readFloats(1);
      return { sums: await results!.readFloats(0), stop: stop! > 0 };
    });
  }

  /** Measures the classifier as it was given: the record is that of its last epoch. */
  async #evaluate(): Promise<void> {
    const { loss, top1, top5 } = await this.#validate();
    const record: LinearRecord = { epoch: Math.max(0, this.#epoch - 1), learningRate: 0, loss, top1, top5 };
    this.#best = record;
    await this.#options.onEpoch?.(record, true, () => this.#snapshot());
  }

  async #finishEpoch(): Promise<void> {
    const { epochs, learningRate, onEpoch } = this.#options;
    const { top1, top5 } = await this.#validate();
    const record: LinearRecord = {
      epoch: this.#epoch,
      learningRate: cosineLearningRate(learningRate, this.#epoch, epochs),
      loss: this.#sums[headSums.loss]! / this.#sums[headSums.count]!,
      top1,
      top5,
    };
    const isBest = this.#best === null || record.top1 > this.#best.top1;
    if (isBest) this.#best = record;
    this.#epoch += 1;
    this.#step = 0;
    this.#sums = this.#sums.map(() => 0);
    await onEpoch?.(record, isBest, () => this.#snapshot());
  }

  async #validate(): Promise<{ loss: number; top1: number; top5: number }> {
    const { runtime, extractor, validation, onValidationBatch, clock } = this.#options;
    const { parameters, statistics } = this.#trained;
    let own = [0, 0, 0, 0];
    let [number, asked] = [0, clock()];
    for await (const batch of validation()) {
      const sums = await disposing(async (keep) => {
        const images = keep(this.#tensorsOf(batch, 'evaluationShape'));
        const inputs = [this.#functions.constants, parameters, statistics, images];
        return keep((await this.#functions.evaluate.call(inputs))[0]!).readFloats(0);
      });
      own = own.map((sum, i) => sum + sums[i]!);
      const images = sums[headSums.count]!;
      onValidationBatch?.({
        ...{ batch: number, images, loss: sums[headSums.loss]! / Math.max(1, images) },
        ...{ top1: percent(sums[headSums.top1]!, images), top5: percent(sums[headSums.top5]!, images) },
        milliseconds: clock() - asked,
      });
      [number, asked] = [number + 1, clock()];
    }
    const all = await sumsOverRanks(runtime, `linear_${extractor.name}`, own);
    const of = all[headSums.count]!;
    const loss = all[headSums.loss]! / of;
    return { loss, top1: percent(all[headSums.top1]!, of), top5: percent(all[headSums.top5]!, of) };
  }

  async #snapshot(): Promise<LinearState> {
    const trained = await readTrained(this.#trained, this.#options.from.backbone !== undefined);
    return { epoch: this.#epoch, step: this.#step, sums: this.#sums, best: this.#best, ...trained };
  }

  #tensorsOf(batch: LabelledBatch, shape: 'trainShape' | 'evaluationShape' = 'trainShape'): TensorList {
    const [images, labels, mask] = labelledSpecs(this.#options[shape]);
    return this.#options.runtime.tensors([
      { spec: images, bytes: batch.images },
      { spec: labels, bytes: batch.labels },
      { spec: mask, bytes: Float32Array.from(batch.mask) },
    ]);
  }
}
