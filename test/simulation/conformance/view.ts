import type { Job, KubeObject, Pod } from '../../../operator/kube/objects.ts';
import type { State } from './sequences.ts';

/** What both servers must agree on: all but UIDs, versions, times, and random parts of names. */
export function viewOf(state: State): string[] {
  const names = new Map(state.map(({ metadata }) => [metadata.uid ?? '', metadata.name]));
  return state.map((object) => JSON.stringify(sorted(describe(object, names)))).toSorted();
}

function describe(object: KubeObject, names: ReadonlyMap<string, string>): object {
  const { labels, annotations, finalizers, ownerReferences, deletionTimestamp, generation } = object.metadata;
  const nameOfUid = ([key, value]: [string, string]) =>
    [key, key.endsWith('controller-uid') ? (names.get(value) ?? 'gone') : value] as const;
  const common = {
    kind: object.kind,
    labels: labels && Object.fromEntries(Object.entries(labels).map(nameOfUid)),
    finalizers,
    ownerReferences: ownerReferences?.map(({ uid, ...owner }) => ({ ...owner, isOwn: names.has(uid) })),
    isDeleted: deletionTimestamp !== undefined,
  };
  if (object.kind === 'Job') {
    const { spec, status } = object as Job;
    const { suspend, parallelism, completions, completionMode, backoffLimit, podReplacementPolicy } = spec!;
    return {
      ...common,
      name: object.metadata.name,
      generation,
      spec: { suspend, parallelism, completions, completionMode, backoffLimit, podReplacementPolicy },
      status: describeJobStatus(status!),
    };
  }
  if (object.kind === 'Pod') {
    const { spec, status } = object as Pod;
    return { ...common, annotations, isBound: spec?.nodeName !== undefined, phase: status?.phase };
  }
  return { ...common, data: (object as { data?: object }).data };
}

function describeJobStatus({ startTime, completionTime, conditions, ...status }: NonNullable<Job['status']>): object {
  return {
    ...status,
    isStarted: startTime !== undefined,
    isCompleted: completionTime !== undefined,
    conditions: conditions
      ?.map(({ type, status, reason, message }) => ({ type, status, reason, message: withoutNames(message ?? '') }))
      .toSorted((a, b) => a.type.localeCompare(b.type)),
  };
}

/** Pods are called by a random name in messages. */
const withoutNames = (message: string) => message.replace(/pod [a-z0-9/-]+/i, 'pod P');

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
