import type { HistoryRecord } from '../../checkpoint/json.ts';
import type { Point } from '../chart/min-max.ts';
import { MinMaxSampler } from '../chart/min-max.ts';

/** One epoch of a stage. */
export interface EpochFigures {
  /** From 0. */
  readonly epoch: number;
  /** Its last step that is committed. */
  readonly step: number;
  /** Mean over the epoch's records that have it, by the figure's name. */
  readonly means: Readonly<Record<string, number>>;
}

/** What a history says, in bounded memory: no more than so many points a figure, and a line an epoch. */
export interface Figures {
  /** Thinned by step, peaks kept, by the figure's name. */
  readonly steps: Readonly<Record<string, readonly Point[]>>;
  readonly epochs: readonly EpochFigures[];
  /** `undefined` as long as no epoch is known to be whole. */
  readonly stepsPerEpoch: number | undefined;
}

/** Steps are thinned to the extremes of so many columns: more than a chart has pixels would not show. */
const columns = 480;

/** A history has some ten figures; what has more isn't one of ours. */
const maxFigures = 32;

interface Sum {
  total: number;
  count: number;
}

/** Collects the figures of a history, record by record. Everything numeric counts, whoever recorded it. */
export class FigureCollector {
  readonly #lastStep: number;
  readonly #series = new Map<string, MinMaxSampler>();
  readonly #epochs = new Map<number, { step: number; sums: Map<string, Sum> }>();

  /** @param lastStep The history's. */
  constructor(lastStep: number) {
    this.#lastStep = lastStep;
  }

  add({ step, epoch, ...figures }: HistoryRecord): void {
    const sums = typeof epoch === 'number' ? this.#sumsOf(epoch, step) : undefined;
    for (const [name, value] of Object.entries(figures)) {
      if (typeof value !== 'number' || !this.#samplerOf(name)) continue;
      this.#samplerOf(name)!.add(step, value);
      const sum = sums?.get(name) ?? { total: 0, count: 0 };
      sums?.set(name, { total: sum.total + value, count: sum.count + 1 });
    }
  }

  finish(): Figures {
    const epochs = [...this.#epochs]
      .sort(([a], [b]) => a - b)
      .map(([epoch, { step, sums }]) => ({
        ...{ epoch, step },
        means: Object.fromEntries([...sums].map(([name, { total, count }]) => [name, total / count])),
      }));
    const steps = Object.fromEntries([...this.#series].map(([name, sampler]) => [name, sampler.points()]));
    // All epochs but the last are whole.
    const whole = epochs.at(-2);
    return { steps, epochs, stepsPerEpoch: whole && whole.step / (whole.epoch + 1) };
  }

  #samplerOf(name: string): MinMaxSampler | undefined {
    if (!this.#series.has(name) && this.#series.size < maxFigures)
      this.#series.set(name, new MinMaxSampler(0, this.#lastStep, columns));
    return this.#series.get(name);
  }

  #sumsOf(epoch: number, step: number): Map<string, Sum> {
    const entry = this.#epochs.get(epoch) ?? { step, sums: new Map<string, Sum>() };
    entry.step = Math.max(entry.step, step);
    this.#epochs.set(epoch, entry);
    return entry.sums;
  }
}
