import type { RankProcess } from './rank-process.ts';
import { startProcess, type RankPrograms } from './rank-programs.ts';

/**
 * A second process for each of a worker's ranks, started while the ranks train: it has loaded TensorFlow and traced the
 * step, and becomes a rank of the next generation. One that ends before is not made anew: the rank is then started as if
 * there had been none.
 */
export class Standbys {
  readonly #programs: RankPrograms;
  readonly #waiting = new Map<number, RankProcess>();

  constructor(programs: RankPrograms) {
    this.#programs = programs;
  }

  /** Starts those that there are none of. */
  fill(): void {
    const { plans, order } = this.#programs;
    for (const plan of plans) {
      const { rank, gpu, threads, loaderThreads } = plan;
      if (this.#waiting.has(rank)) continue;
      const process = startProcess(this.#programs, plan);
      process.send({ type: 'standby', ...order, rank, gpu, threads, loaderThreads });
      this.#waiting.set(rank, process);
      void process.ended.then(() => this.#waiting.get(rank) === process && this.#waiting.delete(rank));
    }
  }

  /** The process for a rank, if there is one; it is the caller's from now on. */
  take(rank: number): RankProcess | undefined {
    const process = this.#waiting.get(rank);
    this.#waiting.delete(rank);
    return process;
  }

  /** Kills all that are waiting. */
  close(): void {
    for (const process of this.#waiting.values()) process.end('SIGKILL');
  }
}
