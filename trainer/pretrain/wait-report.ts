import type { RankContext } from '../rank/context.ts';

/** How often the launcher is told, in milliseconds. */
const intervalMs = 1000;

/** Adds up what a rank waits for the others, and tells its launcher. */
export class WaitReport {
  readonly #context: Pick<RankContext, 'clock' | 'send'>;
  #seconds = 0;
  #toldAt = -Infinity;

  constructor(context: Pick<RankContext, 'clock' | 'send'>) {
    this.#context = context;
  }

  /** @param seconds of the step; NaN where it isn't known, and then nothing is told */
  afterStep(seconds: number): void {
    if (Number.isNaN(seconds)) return;
    this.#seconds += seconds;
    const { clock, send } = this.#context;
    if (clock() - this.#toldAt < intervalMs) return;
    this.#toldAt = clock();
    send({ type: 'wait', seconds: this.#seconds });
  }
}
