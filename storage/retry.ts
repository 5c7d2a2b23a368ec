/** Time and chance, so that tests needn't wait. */
export interface RetryTiming {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

export interface RetryPolicy {
  /** Whether the next try may succeed. */
  readonly isTransient: (thrown: unknown) => boolean;
  /**
   * Until when tries may start. Asked after each failure. Milliseconds, of the timing's clock.
   * @param failedSince When the first try failed.
   */
  readonly until: (failedSince: number) => number;
  readonly timing: RetryTiming;
}

const firstDelay = 100;
const longestDelay = 5000;

/**
 * Tries until it works, with delays that double and are spread over half their length, so that many clients of a store
 * that comes back don't all call at once.
 *
 * @throws what the last try threw
 */
export async function retrying<T>(task: () => Promise<T>, { isTransient, until, timing }: RetryPolicy): Promise<T> {
  let failedSince: number | undefined;
  for (let failures = 0; ; failures++) {
    try {
      return await task();
    } catch (thrown) {
      if (!isTransient(thrown)) throw thrown;
      failedSince ??= timing.now();
      const delay = Math.min(longestDelay, firstDelay * 2 ** failures) * (1 - timing.random() / 2);
      if (timing.now() + delay > until(failedSince)) throw thrown;
      await timing.wait(delay);
    }
  }
}
