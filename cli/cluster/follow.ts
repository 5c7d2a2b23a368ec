import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, KubeConnectionError, KubeTimeoutError } from '../../operator/kube/errors.ts';

export interface FollowOptions<T> {
  readonly look: () => Promise<T>;
  readonly show: (seen: T) => void;
  /** The API server didn't answer; it is asked again. */
  readonly trouble: (message: string) => void;
  readonly isOver: (seen: T) => boolean;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/**
 * Looks again and again until it is over or the signal aborts. An API server that is away for a while is no end.
 *
 * @returns what was seen last; undefined if it was stopped before anything was
 */
export async function follow<T>({
  look,
  show,
  trouble,
  isOver,
  intervalMs,
  signal,
}: FollowOptions<T>): Promise<T | undefined> {
  let seen: T | undefined;
  while (!signal.aborted) {
    try {
      seen = await look();
      show(seen);
      if (isOver(seen)) break;
    } catch (thrown) {
      // At the first look it may be a wrong address: then people want to know at once.
      if (seen === undefined || !mayPass(thrown)) throw thrown;
      trouble((thrown as Error).message);
    }
    await pause(intervalMs, undefined, { signal }).catch(() => {});
  }
  return seen;
}

/** Whether the API server, or the way to it, may be well again soon. */
export function mayPass(thrown: unknown): boolean {
  if (thrown instanceof ApiError) return thrown.isTransient;
  return thrown instanceof KubeConnectionError || thrown instanceof KubeTimeoutError;
}
