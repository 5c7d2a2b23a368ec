import { aroundWriter } from '../kube/around-writer.ts';
import type { KubeWriter } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';

/**
 * Measures how long a turn takes without the API server's time: from each answer to the next request. Deciding, building
 * objects and writing them out counts; waiting for an answer and reading it doesn't.
 */
export class OwnTime {
  /** The same writer, whose waits are left out. */
  readonly writer: KubeWriter;
  readonly #clock: Clock;
  readonly #start: number;
  #waitedMs = 0;

  constructor(writer: KubeWriter, clock: Clock) {
    this.#clock = clock;
    this.#start = clock.now();
    this.writer = aroundWriter(writer, async (_verb, _kind, begin) => {
      // A request is written out before the promise of its answer is there.
      const answer = begin();
      const sent = clock.now();
      try {
        return await answer;
      } finally {
        this.#waitedMs += clock.now() - sent;
      }
    });
  }

  /** Milliseconds since it was made, without waits. */
  get ms(): number {
    return this.#clock.now() - this.#start - this.#waitedMs;
  }
}
