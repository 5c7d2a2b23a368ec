import { workerContainer, type WorkerStage } from '../../api/worker.ts';
import type { Pod } from '../kube/objects.ts';
import { labelKeys } from '../resources/labels.ts';

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];
export type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

export const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

export function stageOf({ metadata }: Pod): WorkerStage {
  return metadata.labels?.[labelKeys.stage] === 'linear' ? 'linear' : 'pretrain';
}

/** Number of the worker. */
export function indexOf({ metadata }: Pod): number {
  return Number(metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? 0);
}

export function trainerOf({ status }: Pod): ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === workerContainer);
}

export function endOf(pod: Pod): Terminated | undefined {
  return trainerOf(pod)?.state?.terminated;
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

export function conditionOf({ status }: Pod, type: string) {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** The youngest pod of each worker of a stage, by the workers' numbers. */
export function newestPods(pods: readonly Pod[], stage: WorkerStage): Pod[] {
  const newest: Pod[] = [];
  for (const pod of pods) {
    if (stageOf(pod) !== stage) continue;
    const other = newest[indexOf(pod)];
    if (other === undefined || isYounger(pod, other)) newest[indexOf(pod)] = pod;
  }
  return newest.filter(Boolean);
}

/** Of two pods of one second the one that still lives is the younger one: a worker has one living pod at most. */
function isYounger(pod: Pod, other: Pod): boolean {
  const [time, otherTime] = [pod, other].map(({ metadata }) => metadata.creationTimestamp ?? '');
  return time === otherTime ? !isOver(pod) : time! > otherTime!;
}
