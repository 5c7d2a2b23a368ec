import type { Job, Pod } from '../../../operator/kube/objects.ts';
import { refOf, type ApiServer } from './api-server.ts';
import { failureAction, indexOf, newPod, trackingFinalizer, formatIndexes } from './indexes.ts';
import { countPods, hasFailed, replaceableFrom, type JobCounts } from './job-counts.ts';
import { judge, type Verdict } from './job-verdict.ts';

type Status = NonNullable<Job['status']>;
type Condition = NonNullable<Status['conditions']>[number];

export const isFinished = (job: Job) =>
  job.status?.conditions?.some(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed')) ??
  false;

/**
 * One look of the Job controller at an Indexed Job with podReplacementPolicy Failed.
 *
 * @returns the time in ms since 1970 at which it looks again by itself, if it will
 */
export function syncJob(server: ApiServer, job: Job, now: number): number | undefined {
  if (isFinished(job)) return undefined;
  const pods = podsOf(server, job);
  const counts = countPods(job, pods);
  const verdict = judge(job, pods, counts);
  const suspended = job.spec?.suspend === true;
  let { active } = counts;
  let terminating = counts.terminating.length;
  let killed = 0;
  let again: number | undefined;
  if (verdict !== undefined || suspended) {
    for (const pod of active) {
      releasePod(server, pod);
      server.delete(refOf(pod), { propagationPolicy: 'Background' });
    }
    if (verdict?.type === 'FailureTarget') killed = active.length;
    terminating += active.length;
    active = [];
  } else if (job.metadata.deletionTimestamp === undefined) {
    ({ active, again } = createPods(server, job, counts, now));
  }
  const released = releasable(job, counts, verdict);
  const status = nextStatus(server, job, counts, { active, terminating, released, killed, verdict, suspended });
  server.update<Job>(refOf(job), (live) => ({ ...live, status }), 'status');
  for (const pod of released) releasePod(server, pod);
  if (job.metadata.deletionTimestamp !== undefined) for (const pod of counts.terminating) releasePod(server, pod);
  const left = podsOf(server, job).some((pod) => pod.metadata.finalizers?.includes(trackingFinalizer) === true);
  if (verdict !== undefined && terminating === 0 && !left) finish(server, job, verdict);
  return again;
}

export function podsOf(server: ApiServer, job: Job): Pod[] {
  return server
    .list<Pod>('Pod')
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid));
}

/** Pods of indexes that miss one. Those of a failed pod wait for its back-off; meanwhile `active` is 0. */
function createPods(server: ApiServer, job: Job, counts: JobCounts, now: number) {
  const { completions = 1, parallelism = 1 } = job.spec ?? {};
  const wanted = Math.min(completions - counts.succeededIndexes.size, parallelism);
  const missing = wanted - counts.terminating.length - counts.active.length;
  const taken = new Set(counts.active.map(indexOf));
  const free: number[] = [];
  for (let index = 0; index < completions && free.length < missing; index++) {
    const settled = counts.succeededIndexes.has(index) || counts.failedIndexes.has(index) || taken.has(index);
    if (!settled) free.push(index);
  }
  const from = (index: number) => {
    const failed = counts.replaceable.get(index);
    return failed === undefined ? now : replaceableFrom(failed);
  };
  const due = free.filter((index) => from(index) <= now);
  const waiting = free.filter((index) => from(index) > now).map(from);
  const again = waiting.length > 0 ? Math.min(...waiting) : undefined;
  if (due.length === 0 && waiting.length > 0) return { active: [], again };
  const suffix = String(server.revision);
  const created = due.map((index) => server.create(newPod(job, index, suffix, counts.replaceable.get(index))));
  return { active: [...counts.active, ...created], again };
}

/** Ended pods that the status counts from now on. The last failed one of an index stays until it is replaced. */
function releasable(job: Job, counts: JobCounts, verdict: Verdict | undefined): Pod[] {
  const over = verdict !== undefined || job.metadata.deletionTimestamp !== undefined;
  return counts.uncounted.filter((pod) => over || !hasFailed(pod) || counts.replaceable.get(indexOf(pod)) !== pod);
}

function releasePod(server: ApiServer, pod: Pod): void {
  server.update<Pod>(refOf(pod), (live) => {
    const { finalizers = [], ...rest } = live.metadata;
    const others = finalizers.filter((finalizer) => finalizer !== trackingFinalizer);
    return { ...live, metadata: { ...rest, ...(others.length > 0 && { finalizers: others }) } };
  });
}

interface Progress {
  readonly active: readonly Pod[];
  readonly terminating: number;
  readonly released: readonly Pod[];
  /** Pods that were ended because the Job has failed: they count as failed. */
  readonly killed: number;
  readonly verdict: Verdict | undefined;
  readonly suspended: boolean;
}

function nextStatus(server: ApiServer, job: Job, counts: JobCounts, progress: Progress): Status {
  const { active, terminating, released, killed, verdict, suspended } = progress;
  const { active: _active, conditions: before = [], startTime: started, ...old } = job.status ?? {};
  const failed =
    (old.failed ?? 0) + killed + released.filter((pod) => hasFailed(pod) && failureAction(job, pod).counts).length;
  let conditions: readonly Condition[] = before;
  if (verdict !== undefined) conditions = ensure(server, conditions, verdict, 'True');
  else if (suspended) {
    conditions = ensure(
      server,
      conditions,
      { type: 'Suspended', reason: 'JobSuspended', message: 'Job suspended' },
      'True',
    );
  } else if (conditions.some(({ type, status }) => type === 'Suspended' && status === 'True')) {
    conditions = ensure(
      server,
      conditions,
      { type: 'Suspended', reason: 'JobResumed', message: 'Job resumed' },
      'False',
    );
  }
  const resumed = conditions !== before && verdict === undefined && !suspended;
  const startTime = resumed || (started === undefined && !suspended) ? server.timestamp() : started;
  return {
    ...old,
    ...(active.length > 0 && { active: active.length }),
    ready: active.filter(({ status }) => status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
      .length,
    terminating,
    ...(counts.succeededIndexes.size > 0 && {
      succeeded: counts.succeededIndexes.size,
      completedIndexes: formatIndexes(counts.succeededIndexes),
    }),
    ...(failed > 0 && { failed }),
    ...(job.spec?.backoffLimitPerIndex !== undefined && { failedIndexes: formatIndexes(counts.failedIndexes) }),
    ...(startTime !== undefined && { startTime }),
    ...(conditions.length > 0 && { conditions: [...conditions] }),
    uncountedTerminatedPods: {},
  };
}

function ensure(
  server: ApiServer,
  conditions: readonly Condition[],
  { type, reason, message }: { readonly type: string; readonly reason: string; readonly message: string },
  status: 'True' | 'False',
): readonly Condition[] {
  if (conditions.some((condition) => condition.type === type && condition.status === status)) return conditions;
  const time = server.timestamp();
  const condition = { type, status, reason, message, lastProbeTime: time, lastTransitionTime: time };
  return [...conditions.filter((other) => other.type !== type), condition];
}

/** The last condition follows only when no pod of the Job is left running. */
function finish(server: ApiServer, job: Job, { type, reason, message }: Verdict): void {
  server.update<Job>(
    refOf(job),
    (live) => {
      const complete = type === 'SuccessCriteriaMet';
      const end = { type: complete ? 'Complete' : 'Failed', reason, message };
      const conditions = [...ensure(server, live.status?.conditions ?? [], end, 'True')];
      return {
        ...live,
        status: { ...live.status, conditions, ...(complete && { completionTime: server.timestamp() }) },
      };
    },
    'status',
  );
}
