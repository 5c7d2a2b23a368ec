/**
 * What rank 0's steps spend their time on. data: waiting for batches; step: the graph function, with its collectives;
 * evaluation: kNN and effective rank; checkpoint: waiting for the digests and for the upload before. The upload itself
 * runs beside the steps.
 */
export type EpochPart = 'data' | 'step' | 'evaluation' | 'checkpoint';

/** Adds up where the time goes, to be taken once an epoch. */
export class PartTimer {
  #milliseconds = new Map<EpochPart, number>();

  add(part: EpochPart, milliseconds: number): void {
    this.#milliseconds.set(part, (this.#milliseconds.get(part) ?? 0) + milliseconds);
  }

  /** Seconds since the last call, in milliseconds' precision. */
  take(): Readonly<Record<EpochPart, number>> {
    const seconds = (part: EpochPart): number => Math.round(this.#milliseconds.get(part) ?? 0) / 1000;
    const taken = {
      data: seconds('data'),
      step: seconds('step'),
      evaluation: seconds('evaluation'),
      checkpoint: seconds('checkpoint'),
    };
    this.#milliseconds = new Map();
    return taken;
  }
}
