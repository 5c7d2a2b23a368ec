import type { Random } from './clock.ts';

export interface BackoffLimits {
  /** The first delay, in milliseconds. */
  readonly baseMs: number;
  /** No delay is longer. */
  readonly maxMs: number;
}

/**
 * The delay after a number of failures in a row (1: the first): doubles each time up to the limit, and is spread over its
 * second half so that clients of a server that comes back don't all call at once. Milliseconds.
 */
export function backoffDelay(failures: number, { baseMs, maxMs }: BackoffLimits, random: Random): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30)) * (1 - random() / 2);
}
