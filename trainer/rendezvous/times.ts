import type { FailurePolicySpec } from '../../api/run.ts';

/** How the launchers of a run watch each other, in milliseconds. */
export interface RendezvousTimes {
  /** Between two signs of life of worker 0. */
  readonly heartbeat: number;
  /** Without any word for so long a connection counts as lost, at either end. */
  readonly silence: number;
  /** For a connection to be made and the handshake. */
  readonly handshake: number;
  /** Until the ranks of a worker are gone that has noticed that it lost its connection. */
  readonly rankEnd: number;
  /** Between two looks at the store while no ranks run. */
  readonly look: number;
}

export const rendezvousTimes: RendezvousTimes = {
  heartbeat: 1_000,
  silence: 15_000,
  handshake: 5_000,
  rankEnd: 3_000,
  look: 30_000,
};

/** The longest pause that a Job makes before it makes a failed pod anew, in seconds. */
const longestPodBackoff = 360;

/**
 * How long workers that were there are awaited: a pod may have failed often, and it may start slowly. Milliseconds.
 */
export function patienceOf({ hangTimeoutSeconds }: FailurePolicySpec): number {
  return 1000 * (longestPodBackoff + 2 * hangTimeoutSeconds);
}

/** Generations in a row that may fail without a checkpoint in between, before a pod has to. */
export function restartsOf({ maxRestarts }: FailurePolicySpec): number {
  return Math.min(maxRestarts, 3);
}

/** Milliseconds before the so many-th restart in a row: at once, then from about 1 s on twice as long, 30 s at most. */
export function restartBackoff(restart: number, random: () => number): number {
  return restart <= 1 ? 0 : Math.min(30_000, 1_000 * 2 ** (restart - 2)) * (0.5 + random());
}

/** Milliseconds before the so many-th try to reach worker 0: from about 0.1 s on twice as long, 2 s at most. */
export function dialBackoff(attempt: number, random: () => number): number {
  return Math.min(2_000, 100 * 2 ** (attempt - 1)) * (0.5 + random() / 2);
}
