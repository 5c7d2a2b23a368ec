import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../../../api/worker.ts';
import { eventually, type KubeObject } from './kube.ts';
import type { Workplace } from './workplace.ts';

export const runsApi = 'apis/simsiam.dev/v1alpha1';

export function conditionOf(run: KubeObject, type: string): KubeObject | undefined {
  const conditions = (run['status']?.conditions ?? []) as readonly KubeObject[];
  return conditions.find((condition) => condition['type'] === type);
}

/** Waits until a run is complete; a run that fails instead is an error with its reason. */
export async function untilComplete(workplace: Workplace, name: string, timeoutMs: number): Promise<KubeObject> {
  const end = await eventually(`the end of ${name}`, timeoutMs, async () => {
    const run = await workplace.kube.get(workplace.path(`simsiamruns/${name}`, runsApi));
    const over = ['Complete', 'Failed'].some((type) => conditionOf(run, type)?.['status'] === 'True');
    return over && run;
  });
  const failed = conditionOf(end, 'Failed');
  if (failed?.['status'] === 'True') throw new Error(`${name} has failed: ${failed['reason']}: ${failed['message']}`);
  return end;
}

/** Waits until worker 0 tells that so many steps are done. */
export async function untilStep(workplace: Workplace, run: string, step: number, timeoutMs: number): Promise<Progress> {
  return eventually(`step ${step} of ${run}`, timeoutMs, async () => {
    const progress = await workplace.progress(run);
    return (progress?.pretrain?.step ?? 0) >= step && progress;
  });
}

/**
 * Does something to a run that trains, and measures how long it takes until a step is finished after it, by ranks of a
 * later generation or of another pod.
 *
 * @returns seconds
 */
export async function timeToNextStep(
  workplace: Workplace,
  run: string,
  fault: () => Promise<unknown>,
  timeoutMs: number,
): Promise<number> {
  const before = await workplace.progress(run);
  const pod = (await workplace.workers(run)).get(0)?.['metadata'].uid as string | undefined;
  await fault();
  const started = Date.now();
  let figures: string | undefined;
  for (; Date.now() - started < timeoutMs; await sleep(100)) {
    const worker = (await workplace.workers(run).catch(() => undefined))?.get(0);
    const progress = worker && (await workplace.progressOf(worker).catch(() => undefined));
    if (worker === undefined || progress === undefined) continue;
    const isNew = worker['metadata'].uid !== pod || progress.generation > (before?.generation ?? 0);
    if (!isNew || progress.phase !== 'Pretraining') continue;
    // Figures of the steps before the fault stand until there are new ones.
    const now = JSON.stringify(progress.pretrain);
    if (figures !== undefined && now !== figures) return (Date.now() - started) / 1000;
    if (figures === undefined && progress.pretrain === undefined) figures = '';
    figures ??= now;
  }
  throw new Error(`${run}: no step was finished within ${timeoutMs / 1000} s after the fault`);
}
