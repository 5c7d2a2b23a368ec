import type { Job, Pod } from '../../../operator/kube/objects.ts';

const indexAnnotation = 'batch.kubernetes.io/job-completion-index';
const failuresAnnotation = 'batch.kubernetes.io/job-index-failure-count';
const ignoredAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count';

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';

export function indexOf(pod: Pod): number {
  return Number(pod.metadata.annotations?.[indexAnnotation]);
}

/** Failures of the pod's index before this pod: those that count, and those that a rule ignores. */
export function failuresBefore({ metadata }: Pod): { readonly counted: number; readonly ignored: number } {
  const { [failuresAnnotation]: counted = '0', [ignoredAnnotation]: ignored = '0' } = metadata.annotations ?? {};
  return { counted: Number(counted), ignored: Number(ignored) };
}

/** The pod of an index; it takes over the failures of the one that it replaces. */
export function newPod(job: Job, index: number, uid: string, replaced: Pod | undefined): Pod {
  const before = replaced === undefined ? { counted: 0, ignored: 0 } : failuresBefore(replaced);
  const counts = replaced !== undefined && failureAction(job, replaced).counts;
  const ignored = before.ignored + (replaced !== undefined && !counts ? 1 : 0);
  const template = job.spec?.template;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${job.metadata.name}-${index}-${uid}`,
      namespace: job.metadata.namespace ?? '',
      labels: { ...template?.metadata?.labels, 'batch.kubernetes.io/job-completion-index': String(index) },
      annotations: {
        ...template?.metadata?.annotations,
        [indexAnnotation]: String(index),
        [failuresAnnotation]: String(before.counted + (counts ? 1 : 0)),
        ...(ignored > 0 && { [ignoredAnnotation]: String(ignored) }),
      },
      finalizers: [trackingFinalizer],
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          name: job.metadata.name,
          uid: job.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: { containers: [], ...template?.spec },
  };
}

export interface FailureAction {
  readonly action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
  /** Whether the failure counts against the index's budget. */
  readonly counts: boolean;
  readonly message: string;
}

/** What the Job's podFailurePolicy makes of a failed pod: the first rule that matches. */
export function failureAction(job: Job, pod: Pod): FailureAction {
  for (const [number, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const match = matchExitCode(rule.onExitCodes, pod) ?? matchCondition(rule.onPodConditions, pod);
    if (match === undefined) continue;
    const action = rule.action as FailureAction['action'];
    const message = `${match} matching ${action} rule at index ${number}`;
    return { action, counts: action !== 'Ignore', message };
  }
  return { action: 'Count', counts: true, message: '' };
}

type Rule = NonNullable<NonNullable<NonNullable<Job['spec']>['podFailurePolicy']>['rules']>[number];

function matchExitCode(on: Rule['onExitCodes'], pod: Pod): string | undefined {
  if (on === undefined) return undefined;
  for (const { name, state } of pod.status?.containerStatuses ?? []) {
    const code = state?.terminated?.exitCode ?? 0;
    if (code === 0 || (on.containerName !== undefined && on.containerName !== name)) continue;
    if (on.values.includes(code) !== (on.operator === 'In')) continue;
    const { namespace, name: podName } = pod.metadata;
    return `Container ${name} for pod ${namespace}/${podName} failed with exit code ${code}`;
  }
  return undefined;
}

function matchCondition(on: Rule['onPodConditions'], pod: Pod): string | undefined {
  for (const pattern of on ?? []) {
    const found = pod.status?.conditions?.find(({ type }) => type === pattern.type);
    if (found?.status !== (pattern.status ?? 'True')) continue;
    return `Pod ${pod.metadata.namespace}/${pod.metadata.name} has condition ${pattern.type}`;
  }
  return undefined;
}

/** `1,3-5`, as `completedIndexes` and `failedIndexes` are written. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const ranges: [number, number][] = [];
  for (const index of [...indexes].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  const text = ([first, last]: [number, number]) =>
    first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`;
  return ranges.map(text).join(',');
}

export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>();
  for (const range of (text ?? '').split(',').filter(Boolean)) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let index = first; index <= last; index++) indexes.add(index);
  }
  return indexes;
}
