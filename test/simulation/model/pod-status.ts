import type { Pod } from '../../../operator/kube/objects.ts';

type Status = NonNullable<Pod['status']>;
type Condition = NonNullable<Status['conditions']>[number];

/** How a container ended. */
export interface Exit {
  readonly code: number;
  readonly reason: 'Completed' | 'Error' | 'OOMKilled' | 'ContainerStatusUnknown';
  readonly message?: string;
}

/** The statuses that a kubelet and a scheduler write, from the former one and the time of the API. */
export function scheduled({ status }: Pod, time: string): Status {
  return { ...status, phase: 'Pending', conditions: withCondition(status, 'PodScheduled', 'True', time) };
}

export function unschedulable({ status }: Pod, message: string, time: string): Status {
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastTransitionTime: time,
  };
  return { ...status, phase: 'Pending', conditions: [...others(status, 'PodScheduled'), condition] };
}

export function waiting({ spec, status }: Pod, reason: string, message: string): Status {
  const state = { waiting: { reason, message } };
  return { ...status, phase: 'Pending', containerStatuses: containerStatuses(spec, state, false) };
}

export function running({ spec, status }: Pod, ip: string, time: string): Status {
  return {
    ...status,
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    startTime: time,
    conditions: withCondition(status, 'Ready', 'True', time),
    containerStatuses: containerStatuses(spec, { running: { startedAt: time } }, true),
  };
}

export function terminated({ spec, status }: Pod, exit: Exit, time: string): Status {
  const { code: exitCode, reason, message } = exit;
  const end = { exitCode, reason, ...(message !== undefined && { message }), finishedAt: time };
  return {
    ...status,
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    conditions: withCondition(status, 'Ready', 'False', time),
    containerStatuses: containerStatuses(spec, { terminated: end }, false),
  };
}

/** What comes before a pod is deleted for the cluster's sake. */
export function disrupted({ status }: Pod, reason: string, time: string): Status {
  const condition = { type: 'DisruptionTarget', status: 'True', reason, message: reason, lastTransitionTime: time };
  return { ...status, conditions: [...others(status, 'DisruptionTarget'), condition] };
}

export function unready({ status }: Pod, time: string): Status {
  return { ...status, conditions: withCondition(status, 'Ready', 'False', time) };
}

function others(status: Pod['status'], type: string): Condition[] {
  return (status?.conditions ?? []).filter((condition) => condition.type !== type);
}

function withCondition(status: Pod['status'], type: string, value: 'True' | 'False', time: string): Condition[] {
  return [...others(status, type), { type, status: value, lastTransitionTime: time }];
}

function containerStatuses(spec: Pod['spec'], state: object, ready: boolean): NonNullable<Status['containerStatuses']> {
  return (spec?.containers ?? []).map(({ name, image = '' }) => ({
    name,
    image,
    imageID: '',
    ready,
    restartCount: 0,
    state,
  }));
}
