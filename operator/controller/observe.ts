import type { WorkerStage } from '../../api/worker.ts';
import type { KubeObject, RunObject } from '../kube/objects.ts';
import { keyOf, type ReadonlyStore } from '../kube/store.ts';
import type { Observed, PodRefusal } from '../reconcile/observed.ts';
import { labelKeys } from '../resources/labels.ts';
import type { Caches } from './caches.ts';

type FromController = Pick<Observed, 'report' | 'refusal' | 'progressFrom'>;

/** What the caches know of a run. */
export function observe(caches: Caches, run: RunObject, more: FromController): Observed {
  const key = keyOf(run.metadata);
  const leftovers: KubeObject[] = [];
  /** Those of this very run; others of the same name belong to a run that was deleted. */
  const own = <T extends KubeObject>(store: ReadonlyStore<T, 'run'>): T[] => {
    const found = store.by('run', key);
    const mine = found.filter(({ metadata }) => metadata.labels?.[labelKeys.runUid] === run.metadata.uid);
    if (mine.length < found.length) leftovers.push(...found.filter((object) => !mine.includes(object)));
    return mine;
  };
  const observed = {
    run,
    jobs: byStage(own(caches.jobs)),
    configs: byStage(own(caches.configs)),
    service: own(caches.services)[0],
    networkPolicy: own(caches.networkPolicies)[0],
    podRefusal: lastRefusal(caches, key),
    ...more,
  };
  const pods = caches.pods
    .by('run', key)
    .filter(({ metadata }) => metadata.labels?.[labelKeys.runUid] === run.metadata.uid);
  return { ...observed, pods, leftovers };
}

function byStage<T extends KubeObject>(objects: readonly T[]): Partial<Record<WorkerStage, T>> {
  return Object.fromEntries(objects.map((object) => [object.metadata.labels?.[labelKeys.stage], object]));
}

function lastRefusal({ refusedPods }: Caches, key: string): PodRefusal | undefined {
  let last: PodRefusal | undefined;
  for (const { message = '', lastTimestamp, eventTime, metadata } of refusedPods.by('run', key)) {
    const at = Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '');
    // The pods' names differ from try to try.
    const words = message.replace(/^Error creating: /, '').replace(/pods "[^"]*"/, 'pods');
    if (last === undefined || at > last.at) last = { at, message: words };
  }
  return last;
}
