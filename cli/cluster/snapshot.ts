import { type Progress, workerPorts } from '../../api/worker.ts';
import type { RunObject } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { type Worker, workersOf } from './workers.ts';

/** A run as it is now. */
export interface Snapshot {
  readonly run: RunObject;
  readonly workers: readonly Worker[];
  /** What worker 0 says of itself; absent while it doesn't run, or where its HTTP may not be reached. */
  readonly progress: Progress | undefined;
}

/** @throws RunNotFoundError, and what else a request throws */
export async function takeSnapshot(cluster: Cluster, name: string): Promise<Snapshot> {
  const run = await cluster.run(name);
  const workers = workersOf(await cluster.pods(name, run.metadata.uid));
  return { run, workers, progress: await progressOf(cluster, workers) };
}

async function progressOf(cluster: Cluster, workers: readonly Worker[]): Promise<Progress | undefined> {
  const first = workers.findLast(({ index, state }) => index === 0 && state === 'Running');
  if (first === undefined) return undefined;
  // The run's status has figures too: those of the worker are only newer, and many may not reach into pods.
  return cluster.fromPod<Progress>(first.pod, workerPorts.http, '/progress').catch(() => undefined);
}

/** How a run has ended, if it has. */
export function endOfRun({ status }: RunObject): 'Complete' | 'Failed' | undefined {
  const holds = (type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
  if (holds('Complete')) return 'Complete';
  return holds('Failed') ? 'Failed' : undefined;
}
