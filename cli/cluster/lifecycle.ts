import { setTimeout as pause } from 'node:timers/promises';
import type { RunObject } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { RunStateError } from './errors.ts';
import { endOfRun } from './snapshot.ts';

/**
 * Suspends or resumes a run.
 *
 * @returns whether that changed anything
 * @throws RunStateError if the run has ended
 */
export async function setSuspended(cluster: Cluster, name: string, suspend: boolean): Promise<boolean> {
  const run = await cluster.run(name);
  const end = endOfRun(run);
  if (end !== undefined) {
    const done = end === 'Complete' ? 'is complete' : 'has failed';
    throw new RunStateError(`SimSiamRun ${name} ${done}: there is nothing to ${suspend ? 'suspend' : 'resume'}`);
  }
  if (run.spec.suspend === suspend) return false;
  await cluster.patch(name, { spec: { suspend } });
  return true;
}

/** Waits until no pod of this very run is left. @throws RunStateError after `patienceMs` */
export async function podsGone(cluster: Cluster, run: RunObject, patienceMs: number, intervalMs = 1000): Promise<void> {
  const { name, uid } = run.metadata;
  const until = performance.now() + patienceMs;
  for (;;) {
    const pods = await cluster.pods(name, uid);
    if (pods.length === 0) return;
    if (performance.now() > until) {
      throw new RunStateError(
        `SimSiamRun ${name} is deleted, but ${pods.length} of its pods are still there, such as ${pods[0]!.metadata.name}`,
      );
    }
    await pause(intervalMs);
  }
}
