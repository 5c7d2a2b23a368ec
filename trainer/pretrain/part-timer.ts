import { stepParts, type StepPart } from '../telemetry/run-event.ts';

/**
 * What rank 0's steps spend their time on. data: waiting for batches; step: the graph function, with its collectives;
 * evaluation: kNN and effective rank; checkpoint: waiting for the digests and for the upload before. The upload itself
 * runs beside the steps.
 */
export type PartSeconds = Readonly<Record<StepPart, number>>;

/** Adds up where the time goes, in all and to be taken once an epoch. */
export class PartTimer {
  readonly #total = new Map<StepPart, number>();
  #taken: PartSeconds = inSeconds(this.#total);

  add(part: StepPart, milliseconds: number): void {
    this.#total.set(part, (this.#total.get(part) ?? 0) + milliseconds);
  }

  /** Seconds in all, in milliseconds' precision. */
  total(): PartSeconds {
    return inSeconds(this.#total);
  }

  /** Seconds since the last call, in milliseconds' precision. */
  take(): PartSeconds {
    const [before, total] = [this.#taken, this.total()];
    this.#taken = total;
    return partSeconds((part) => Math.round(1000 * (total[part] - before[part])) / 1000);
  }
}

function inSeconds(milliseconds: ReadonlyMap<StepPart, number>): PartSeconds {
  return partSeconds((part) => Math.round(milliseconds.get(part) ?? 0) / 1000);
}

function partSeconds(of: (part: StepPart) => number): PartSeconds {
  return Object.fromEntries(stepParts.map((part) => [part, of(part)])) as Record<StepPart, number>;
}
