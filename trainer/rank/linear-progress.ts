import type { LinearStepReport } from '../evaluate/linear-options.ts';
import type { LinearRecord } from '../evaluate/linear-state.ts';
import { PartTimer } from '../pretrain/part-timer.ts';
import type { RankContext } from './context.ts';

/** Tells of a linear evaluation's steps and epochs. */
export class LinearProgress {
  readonly #context: RankContext;
  readonly #stepsPerEpoch: number;
  readonly #parts = new PartTimer();
  #images = 0;
  #finishedAt: number;
  #shown: { readonly at: number; readonly images: number };
  #samplesPerSecond = 0;

  constructor(context: RankContext, stepsPerEpoch: number) {
    this.#context = context;
    this.#stepsPerEpoch = stepsPerEpoch;
    this.#finishedAt = context.clock();
    this.#shown = { at: this.#finishedAt, images: 0 };
  }

  afterStep({ step, images, milliseconds, ...figures }: LinearStepReport): void {
    this.#parts.add('data', milliseconds.data);
    this.#parts.add('step', milliseconds.step);
    this.#images += images;
    this.#finishedAt = this.#context.clock();
    if (this.#finishedAt - this.#shown.at < this.#context.progressInterval) return;
    this.#show(figures, figures.epoch * this.#stepsPerEpoch + step, false);
  }

  afterEpoch(record: LinearRecord): void {
    this.#show(record, (record.epoch + 1) * this.#stepsPerEpoch, true);
  }

  #show(
    figures: Omit<LinearStepReport, 'step' | 'images' | 'milliseconds'> | LinearRecord,
    step: number,
    epochEnd: boolean,
  ): void {
    const { run, send, clock } = this.#context;
    const { epochs } = run.spec.linear;
    const images = this.#images - this.#shown.images;
    // Without the time that validation and a checkpoint took.
    if (images > 0) this.#samplesPerSecond = (1000 * images) / (this.#finishedAt - this.#shown.at);
    this.#shown = { at: clock(), images: this.#images };
    send({
      ...{ type: 'progress', stage: 'linear', epochs, step, totalSteps: epochs * this.#stepsPerEpoch },
      ...{ ...figures, samplesPerSecond: this.#samplesPerSecond, seconds: this.#parts.total(), epochEnd },
    });
  }
}
