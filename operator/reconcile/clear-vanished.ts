import type { Pod } from '../kube/objects.ts';
import type { Action } from './outcome.ts';
import { conditionOf, isOver } from './pods.ts';
import { earliest } from './times.ts';

/** A kubelet that lives has ended its pod by then. Milliseconds after the deletion timestamp, which includes the grace. */
const patienceMs = 30_000;

export interface Clearance {
  readonly actions: readonly Action[];
  /** When the next pod may be cleared away, in ms since 1970. */
  readonly wakeAt: number | undefined;
}

/**
 * Pods of nodes that are gone. Kubernetes marks them for deletion and waits for their kubelet, without end; and a Job
 * replaces only what has the phase Failed, so the run would hang. Hence they are declared failed, then, in a later turn,
 * deleted without grace: deletion alone wouldn't do, as the Job's finalizer holds a pod that isn't counted.
 */
export function clearVanished(pods: readonly Pod[], now: number): Clearance {
  const actions: Action[] = [];
  let wakeAt: number | undefined;
  for (const pod of pods) {
    const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    if (deletionTimestamp === undefined || !isOnLostNode(pod)) continue;
    const due = Date.parse(deletionTimestamp) + patienceMs;
    if (now < due) wakeAt = earliest(wakeAt, due);
    else if (!isOver(pod)) actions.push({ type: 'fail pod', pod });
    else if (deletionGracePeriodSeconds !== 0) actions.push({ type: 'remove pod', pod });
  }
  return { actions, wakeAt };
}

function isOnLostNode(pod: Pod): boolean {
  const disruption = conditionOf(pod, 'DisruptionTarget');
  return disruption?.status === 'True' && disruption.reason === 'DeletionByTaintManager';
}
