import type { FailureClass } from './failure-class.ts';

const advice: Readonly<Partial<Record<FailureClass | 'BadInput' | 'BadData' | 'Collapsed', string>>> = {
  BadInput: 'the spec of a run is fixed: mend it, delete the run and create it anew',
  BadData: 'mend the data, delete the run and create it anew',
  Collapsed: 'take another recipe (see docs/troubleshooting.md) and another storage.uri',
  outOfMemory: 'raise spec.podTemplate.resources.limits.memory, or lower pretrain.batchSize or loaderThreadsPerRank',
  hang: 'see the logs of the workers, and raise spec.failurePolicy.hangTimeoutSeconds if a step may take longer',
  storage: 'look after the storage at spec.storage.uri and its credentials',
  peerLost: 'see the logs of the workers that were lost first, and whether a NetworkPolicy keeps them apart',
  crash: 'see the logs of the worker',
};

/** What to do about it, as the end of a message; empty if there is nothing to do. */
export function adviceFor(what: string): string {
  const text = advice[what as keyof typeof advice];
  return text === undefined ? '' : `; ${text}`;
}
