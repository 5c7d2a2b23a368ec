import type { BackoffLimits } from './backoff.ts';
import { backoffDelay } from './backoff.ts';
import type { Clock, Random } from './clock.ts';
import { ApiError, KubeConnectionError, KubeTimeoutError } from './errors.ts';

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Whether doing it twice is the same as doing it once. */
  readonly isIdempotent: boolean;
}

const tries = 4;
const backoff: BackoffLimits = { baseMs: 100, maxMs: 2000 };
const longestAskedMs = 5000;

/**
 * Tries a request again while that may help, at most four times: after 429 and 5xx, and when the connection broke. The
 * server's Retry-After is honoured up to 5 s; who has to wait for longer gets the error.
 *
 * What isn't idempotent is tried again only if it was certainly not carried out: after 429, which is said before
 * anything else is done.
 *
 * @throws what the last try threw
 */
export async function retrying<T>(task: () => Promise<T>, { clock, random, isIdempotent }: RetryOptions): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await task();
    } catch (thrown) {
      const askedMs = thrown instanceof ApiError ? (thrown.retryAfterMs ?? 0) : 0;
      if (failures === tries || !mayHelp(thrown, isIdempotent) || askedMs > longestAskedMs) throw thrown;
      const delay = Math.max(askedMs, backoffDelay(failures, backoff, random));
      await new Promise<void>((resolve) => clock.after(delay, resolve));
    }
  }
}

function mayHelp(thrown: unknown, isIdempotent: boolean): boolean {
  if (thrown instanceof ApiError) return isIdempotent ? thrown.isTransient : thrown.status === 429;
  return isIdempotent && (thrown instanceof KubeConnectionError || thrown instanceof KubeTimeoutError);
}
