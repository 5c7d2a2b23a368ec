import { workerContainer, type WorkerStage } from '../../api/worker.ts';
import type { Pod } from '../../operator/kube/objects.ts';

/** A pod of a run, as people ask about it. */
export interface Worker {
  /** Its number, from 0. */
  readonly index: number;
  readonly stage: WorkerStage;
  readonly pod: string;
  readonly node: string | undefined;
  /** RFC 3339. */
  readonly created: string | undefined;
  /** `Running`, or why not: `Unschedulable`, `ImagePullBackOff`, `exit 75`. */
  readonly state: string;
  /** More about it, in the words of Kubernetes. */
  readonly detail: string | undefined;
  readonly ready: boolean;
  /** Pods that this one replaces: earlier ones of its number and stage that failed. */
  readonly restarts: number;
}

const stageLabel = 'simsiam.dev/stage';
const indexLabel = 'batch.kubernetes.io/job-completion-index';
const failuresAnnotation = 'batch.kubernetes.io/job-index-failure-count';

/** The newest pod of each worker, by stage and number. */
export function workersOf(pods: readonly Pod[]): readonly Worker[] {
  const newest = new Map<string, Pod>();
  for (const pod of pods.toSorted((a, b) => createdAt(a) - createdAt(b))) {
    const labels = pod.metadata.labels ?? {};
    if (labels[indexLabel] !== undefined) newest.set(`${labels[stageLabel]} ${labels[indexLabel]}`, pod);
  }
  return [...newest.values()].map(workerOf).toSorted((a, b) => b.stage.localeCompare(a.stage) || a.index - b.index);
}

/** Worker 0 of the stage that runs, if it runs. */
export function firstWorker(pods: readonly Pod[]): Worker | undefined {
  return workersOf(pods).findLast(({ index, state }) => index === 0 && state === 'Running');
}

function createdAt({ metadata }: Pod): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

/** A pod as a worker. */
export function workerOf(pod: Pod): Worker {
  const { labels = {}, annotations = {}, name, creationTimestamp, deletionTimestamp } = pod.metadata;
  const [state, detail] = stateOf(pod);
  return {
    index: Number(labels[indexLabel]),
    stage: labels[stageLabel] === 'linear' ? 'linear' : 'pretrain',
    pod: name,
    node: pod.spec?.nodeName,
    created: creationTimestamp,
    state: deletionTimestamp === undefined ? state : 'Terminating',
    detail,
    ready: pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
    restarts: Number(annotations[failuresAnnotation] ?? 0),
  };
}

function stateOf({ status }: Pod): [state: string, detail: string | undefined] {
  const container = status?.containerStatuses?.find(({ name }) => name === workerContainer)?.state;
  if (container?.terminated !== undefined) {
    const { exitCode, reason } = container.terminated;
    const says = reason !== 'Error' && reason !== 'Completed';
    return [exitCode === 0 ? 'Done' : `exit ${exitCode}`, says ? reason : undefined];
  }
  if (container?.waiting !== undefined) return [container.waiting.reason ?? 'Waiting', container.waiting.message];
  if (container?.running !== undefined) return ['Running', undefined];
  const unscheduled = status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  if (unscheduled !== undefined) return [unscheduled.reason ?? 'Unscheduled', unscheduled.message];
  return [status?.phase ?? 'Unknown', status?.message];
}
