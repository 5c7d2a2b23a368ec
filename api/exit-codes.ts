/**
 * Exit codes of every `simsiam` process. They are a contract: the Job's podFailurePolicy decides by them whether a
 * failed pod is retried, so a number never changes its meaning.
 */
export const exitCode = {
  /** Finished, and everything that had to be stored is committed. */
  done: 0,
  /** The manifest, a flag or a combination of them is wrong. Never retried. */
  badInput: 64,
  /** The data set can't be trained on. Never retried. */
  badData: 65,
  /** Other ranks are gone for good. */
  peersLost: 69,
  /** A defect of this program. */
  internal: 70,
  /** The object store (or its disk) can't be reached or written. */
  storage: 74,
  /** Stopped on request with a committed checkpoint. Not counted as a failure. */
  preempted: 75,
  /** No step finished for longer than `failurePolicy.hangTimeoutSeconds`. */
  hang: 76,
  /** The representation collapsed or the loss is not a number. Never retried. */
  collapse: 77,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
