import type { Clock } from '../kube/clock.ts';
import { ApiError } from '../kube/errors.ts';

interface Refusal {
  readonly message: string;
  /** Of the clock, in milliseconds. */
  readonly tellFrom: number;
}

/** An object that is there although no cache shows it is our own from a moment ago, or, after so long, somebody else's. */
const patienceMs = 60_000;

/** What the API server refuses for good, so that people can be told: a quota, a field of a pod that it doesn't allow, a name that is taken. */
export class Refusals {
  readonly #clock: Clock;
  readonly #refusals = new Map<string, Refusal>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): string | undefined {
    const refusal = this.#refusals.get(key);
    return refusal !== undefined && this.#clock.now() >= refusal.tellFrom ? refusal.message : undefined;
  }

  /** Runs the task and remembers how it ended; throws what it throws. */
  async watch(key: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
      this.#refusals.delete(key);
    } catch (thrown) {
      this.#remember(key, thrown);
      throw thrown;
    }
  }

  forget(key: string): void {
    this.#refusals.delete(key);
  }

  #remember(key: string, thrown: unknown): void {
    if (!(thrown instanceof ApiError)) return;
    const isTaken = thrown.reason === 'AlreadyExists';
    if (!isTaken && thrown.status !== 403 && thrown.status !== 422) return;
    const message = isTaken
      ? `${thrown.message}; it isn't this run's: delete it, or name the run otherwise`
      : thrown.message;
    const known = this.#refusals.get(key);
    const tellFrom = known?.message === message ? known.tellFrom : this.#clock.now() + (isTaken ? patienceMs : 0);
    this.#refusals.set(key, { message, tellFrom });
  }
}
