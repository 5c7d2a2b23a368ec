import { type CurvePoint, type Progress, workerPorts } from '../../api/worker.ts';
import type { RunObject } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { firstWorker, type Worker, workersOf } from './workers.ts';

/** A run as it is now. */
export interface Snapshot {
  readonly run: RunObject;
  readonly workers: readonly Worker[];
  /** What worker 0 says of itself; absent while it doesn't run, or where its HTTP may not be reached. */
  readonly progress: Progress | undefined;
  /** Of pre-training since worker 0 started, in the same case. */
  readonly curve?: readonly CurvePoint[];
}

/** @throws RunNotFoundError, and what else a request throws */
export async function takeSnapshot(cluster: Cluster, name: string): Promise<Snapshot> {
  const run = await cluster.run(name);
  const pods = await cluster.pods(name, run.metadata.uid);
  // The run's status has figures too: those of the worker are only newer, and many may not reach into pods.
  const first = firstWorker(pods);
  const ask = async <T>(path: string): Promise<T | undefined> =>
    first && (await cluster.fromPod<T>(first.pod, workerPorts.http, path).catch(() => undefined));
  const [progress, curve] = await Promise.all([ask<Progress>('/progress'), ask<CurvePoint[]>('/curve')]);
  return { run, workers: workersOf(pods), progress, ...(curve && { curve }) };
}

/** How a run has ended, if it has. */
export function endOfRun({ status }: RunObject): 'Complete' | 'Failed' | undefined {
  const holds = (type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
  if (holds('Complete')) return 'Complete';
  return holds('Failed') ? 'Failed' : undefined;
}
