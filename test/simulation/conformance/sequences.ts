import { identityOf } from '../../../operator/controller/perform.ts';
import type { ObjectRef, KubeWriter } from '../../../operator/kube/client.ts';
import type { ConfigMap, Job, KubeObject, Pod } from '../../../operator/kube/objects.ts';

/** An API server as a sequence uses it: the real one or the model. */
export interface Api extends KubeWriter {
  /** Gives the pod a node, as the scheduler does. */
  bind(pod: Pod, node: string): Promise<void>;
  /** The time of day there. */
  now(): Date;
}

export type State = readonly KubeObject[];

/** What is asked for, and how far things must have come before the next step. */
export interface Step {
  readonly what: string;
  readonly act: (api: Api, state: State) => Promise<unknown>;
  readonly until: (state: State) => boolean;
  /** The Job waits before it replaces a pod: what its status says meanwhile depends on chance, and isn't compared. */
  readonly isInBackoff?: boolean;
}

export interface Sequence {
  readonly name: string;
  readonly steps: readonly Step[];
}

export const namespace = 'conformance';

function job(name: string, spec: Partial<NonNullable<Job['spec']>> = {}): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      completionMode: 'Indexed',
      completions: 2,
      parallelism: 2,
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 0,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onExitCodes: { containerName: 'trainer', operator: 'In', values: [64, 65, 77] } },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'Ignore', onExitCodes: { containerName: 'trainer', operator: 'In', values: [75] } },
        ],
      },
      successPolicy: { rules: [{ succeededIndexes: '0' }] },
      template: {
        metadata: { labels: { app: name } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'trainer', image: 'trainer:1' }] },
      },
      ...spec,
    },
  };
}

export const jobsOf = (state: State) => state.filter(({ kind }) => kind === 'Job') as Job[];
export const podsOf = (state: State) => state.filter(({ kind }) => kind === 'Pod') as Pod[];

const indexOf = ({ metadata }: Pod) => metadata.annotations?.['batch.kubernetes.io/job-completion-index'];
const isOver = ({ status }: Pod) => status?.phase === 'Failed' || status?.phase === 'Succeeded';
const living = (state: State) =>
  podsOf(state).filter((pod) => pod.metadata.deletionTimestamp === undefined && !isOver(pod));
const podOf = (state: State, index: number) => living(state).find((pod) => indexOf(pod) === String(index))!;
const active = (count: number) => (state: State) =>
  living(state).length === count && jobsOf(state)[0]?.status?.active === count;
const has = (type: string) => (state: State) =>
  jobsOf(state)[0]?.status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
const gone = (state: State) => jobsOf(state).length === 0 && podsOf(state).length === 0;

const refOf = ({ apiVersion, kind, metadata }: KubeObject): ObjectRef => ({
  apiVersion,
  kind,
  namespace,
  name: metadata.name,
});

const make = (one: Job, until: Step['until']): Step => ({ what: 'create', act: (api) => api.create(one), until });

/** Starts and binds all living pods, as scheduler and kubelets do. */
const start: Step = {
  what: 'start the pods',
  act: async (api, state) => {
    for (const pod of living(state)) {
      await api.bind(pod, 'node');
      const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
      await api.patch(refOf(pod), { status }, { subresource: 'status' });
    }
  },
  until: (state) => jobsOf(state)[0]?.status?.ready === living(state).length,
};

function end(index: number, exitCode: number, until: Step['until']): Step {
  return {
    what: `pod ${index} ends with ${exitCode}`,
    act: (api, state) => {
      const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: timestamp(api) };
      const container = { name: 'trainer', image: 'trainer:1', imageID: '', ready: false, restartCount: 0 };
      const status = {
        phase: exitCode === 0 ? 'Succeeded' : 'Failed',
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [{ ...container, state: { terminated } }],
      };
      return api.patch(refOf(podOf(state, index)), { status }, { subresource: 'status' });
    },
    until,
  };
}

const timestamp = (api: Api) => `${api.now().toISOString().slice(0, 19)}Z`;

/** Pods whose end was asked for end, as kubelets see to. */
const reap = (until: Step['until']): Step => ({
  what: 'the kubelet ends what is to end',
  act: async (api, state) => {
    for (const pod of podsOf(state)) {
      if (pod.metadata.deletionTimestamp === undefined) continue;
      if (!isOver(pod)) await api.applyStatus({ ...identityOf(pod), status: { phase: 'Failed' } });
      const options = { uid: pod.metadata.uid!, propagationPolicy: 'Background', gracePeriodSeconds: 0 } as const;
      await api.delete(refOf(pod), options);
    }
  },
  until,
});

const suspend = (wanted: boolean, until: Step['until']): Step => ({
  what: wanted ? 'suspend' : 'resume',
  act: (api, state) => api.apply({ ...identityOf(jobsOf(state)[0]!), spec: { suspend: wanted } }),
  until,
});

const remove = (propagationPolicy: 'Background' | 'Foreground' | 'Orphan', until: Step['until']): Step => ({
  what: `delete (${propagationPolicy})`,
  act: (api, state) => {
    const [one] = jobsOf(state);
    return api.delete(refOf(one!), { uid: one!.metadata.uid!, propagationPolicy });
  },
  until,
});

const apply = (
  what: string,
  data: Record<string, string>,
  { refused = false, ...only }: { uid?: string; resourceVersion?: string; refused?: boolean } = {},
): Step => ({
  what,
  act: async (api) => {
    const metadata = { name: 'map', namespace, ...only };
    const applied = api.apply<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
    if (!refused) return applied;
    return applied.then(
      () => Promise.reject(new Error('it was not refused')),
      (thrown: unknown) => thrown,
    );
  },
  until: (state) => state.length > 0,
});

const map: ObjectRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'map' };

/** What is observed of Jobs and their pods, each with a name that is unique; played on the model and on a real server. */
export const sequences: readonly Sequence[] = [
  {
    name: 'worker 0 succeeds: the Job is complete once the others have ended',
    steps: [make(job('success'), active(2)), start, end(0, 0, has('SuccessCriteriaMet')), reap(has('Complete'))],
  },
  {
    name: 'all succeed',
    steps: [
      make(job('all', { successPolicy: undefined! }), active(2)),
      start,
      end(1, 0, (state) => jobsOf(state)[0]?.status?.succeeded === 1),
      end(0, 0, has('Complete')),
    ],
  },
  {
    name: 'an exit code of the user: the Job fails at once',
    steps: [make(job('user'), active(2)), start, end(1, 64, has('FailureTarget')), reap(has('Failed'))],
  },
  {
    name: 'a budget that is spent',
    steps: [
      make(job('budget', { backoffLimitPerIndex: 0 }), active(2)),
      start,
      end(1, 70, has('FailureTarget')),
      reap(has('Failed')),
    ],
  },
  {
    name: 'a failure within the budget: another pod after the back-off',
    steps: [
      make(job('retry'), active(2)),
      start,
      { ...end(1, 70, (state) => podsOf(state).some(isOver)), isInBackoff: true },
      wait(active(2)),
    ],
  },
  {
    name: 'a preempted worker does not count',
    steps: [
      make(job('preempted', { backoffLimitPerIndex: 0 }), active(2)),
      start,
      { ...end(1, 75, (state) => podsOf(state).some(isOver)), isInBackoff: true },
      wait(active(2)),
    ],
  },
  {
    name: 'an evicted worker: it is replaced when it has ended, and not before',
    steps: [
      make(job('evicted', { backoffLimitPerIndex: 0 }), active(2)),
      start,
      {
        what: 'evict pod 1',
        act: async (api, state) => {
          const ref = refOf(podOf(state, 1));
          const about = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };
          const condition = { ...about, lastTransitionTime: timestamp(api) };
          await api.patch(ref, { status: { conditions: [condition] } }, { subresource: 'status' });
          await api.delete(ref, { uid: podOf(state, 1).metadata.uid!, propagationPolicy: 'Background' });
        },
        until: (state) => jobsOf(state)[0]?.status?.terminating === 1,
      },
      { ...reap((state) => living(state).length === 1), isInBackoff: true },
      wait(active(2)),
    ],
  },
  {
    name: 'suspended and resumed: other pods once the old ones are gone',
    steps: [
      make(job('suspended'), active(2)),
      start,
      suspend(true, (state) => has('Suspended')(state) && living(state).length === 0),
      reap((state) => podsOf(state).every(isOver)),
      suspend(false, active(2)),
    ],
  },
  {
    name: 'created suspended',
    steps: [make(job('waiting', { suspend: true }), has('Suspended')), suspend(false, active(2))],
  },
  {
    name: 'deleted in the background',
    steps: [
      make(job('background'), active(2)),
      start,
      remove('Background', (state) => living(state).length === 0),
      reap(gone),
    ],
  },
  {
    name: 'deleted in the foreground: the Job goes last',
    steps: [
      make(job('foreground'), active(2)),
      start,
      remove('Foreground', (state) => living(state).length === 0),
      reap(gone),
    ],
  },
  {
    name: 'a fixed field',
    steps: [
      make(job('fixed'), active(2)),
      {
        what: 'change the template',
        act: async (api, state) => {
          const spec = { template: { spec: { priorityClassName: 'high' } } };
          const change = api.patch(refOf(jobsOf(state)[0]!), { spec });
          const reason = await change.then(
            () => 'taken',
            (thrown: { reason: string }) => thrown.reason,
          );
          if (reason !== 'Invalid') throw new Error(`the change is ${reason}`);
        },
        until: active(2),
      },
    ],
  },
  {
    name: 'server-side apply',
    steps: [
      apply('apply', { a: '1', b: '1' }),
      { what: 'another writes', act: (api) => api.patch(map, { data: { b: '2', c: '2' } }), until: () => true },
      apply('leave out a and b', { d: '3' }),
      apply('a UID of another object', { d: '4' }, { uid: 'another', refused: true }),
      apply('an older version', { d: '4' }, { resourceVersion: '1', refused: true }),
      apply('apply again', { d: '3' }),
    ],
  },
];

function wait(until: Step['until']): Step {
  return { what: 'wait', act: () => Promise.resolve(), until };
}
