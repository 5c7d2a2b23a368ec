import type { CheckpointSpec } from '../../api/run.ts';

/** When a checkpoint is due: at the end of each so many epochs, and within an epoch after so many minutes. */
export class CheckpointTimer {
  readonly #spec: CheckpointSpec;
  readonly #clock: () => number;
  #last: number;

  /** @param clock Milliseconds. */
  constructor(spec: CheckpointSpec, clock: () => number) {
    this.#spec = spec;
    this.#clock = clock;
    this.#last = clock();
  }

  /** By the clock, so it differs between ranks: one rank's answer is made known to all. */
  isDue(): boolean {
    const { everyMinutes } = this.#spec;
    return everyMinutes > 0 && this.#clock() - this.#last >= everyMinutes * 60_000;
  }

  /** By the epoch, the same on all ranks. `epoch` has just ended. */
  isDueAfter(epoch: number): boolean {
    return (epoch + 1) % this.#spec.everyEpochs === 0;
  }

  committed(): void {
    this.#last = this.#clock();
  }
}
