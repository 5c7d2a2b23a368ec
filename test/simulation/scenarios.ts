import type { Phase } from '../../api/status.ts';
import type { SimSiamRunInput } from '../../api/run.ts';
import type { ApiServer } from './model/api-server.ts';
import type { Cluster, ClusterScript } from './model/cluster.ts';
import type { Exit } from './model/pod-status.ts';
import type { Stage } from './model/progress.ts';
import type { Mishap } from './model/trainer.ts';
import { createRun, deleteRun, editRun, holds, namespace, runName, writeStatus } from './runs.ts';

/** What a user does once the world has come so far. */
export interface Step {
  readonly name: string;
  readonly when: (cluster: Cluster) => boolean;
  readonly act: (cluster: Cluster) => void;
}

export interface Scenario {
  readonly name: string;
  readonly cluster: ClusterScript;
  readonly begin: (server: ApiServer) => void;
  readonly steps?: readonly Step[];
  /** Phase of the run at the end; `gone` if it is deleted. */
  readonly ends: Phase | 'gone';
}

interface Parts {
  readonly spec?: Partial<SimSiamRunInput['spec']>;
  readonly mishaps?: readonly Mishap[];
  readonly preemptions?: number;
  readonly steps?: readonly Step[];
  readonly ends?: Scenario['ends'];
}

function scenario(
  name: string,
  { spec = {}, mishaps = [], preemptions = 0, steps = [], ends = 'Succeeded' }: Parts,
): Scenario {
  return {
    name,
    cluster: { workers: spec.workers ?? 2, work: { pretrain: 150_000, linear: 120_000 }, mishaps, preemptions },
    begin: (server) => createRun(server, spec),
    steps,
    ends,
  };
}

const exit = (code: number, reason: Exit['reason'] = 'Error'): Exit => ({ code, reason });
const mishap = (stage: Stage, at: number, index: number, kind: Mishap['kind']): Mishap => ({ stage, at, index, kind });

const trains = ({ kubelet }: Cluster) => workOf(kubelet, 'pretrain') > 0;
const evaluates = ({ kubelet }: Cluster) => workOf(kubelet, 'linear') > 0;
const workOf = ({ trainer }: Cluster['kubelet'], stage: Stage) => trainer.workDone(stage);

const suspend = (when: Step['when']): Step => ({ name: 'suspend', when, act: (c) => editRun(c, { suspend: true }) });
const resume: Step = {
  name: 'resume',
  when: (cluster) => holds(cluster, 'Suspended') && noPodLives(cluster),
  act: (c) => editRun(c, { suspend: false }),
};
/** A field that the operator leaves out while the run is suspended, and would count from. */
const strangeStatus: Step = {
  name: 'another client writes the status',
  when: resume.when,
  act: (c) => writeStatus(c, { activeSince: c.server.timestamp(0) }),
};
const remove = (when: Step['when'], policy: 'Background' | 'Foreground'): Step => ({
  name: `delete (${policy})`,
  when,
  act: (cluster) => deleteRun(cluster, policy),
});

function noPodLives({ server }: Cluster): boolean {
  return server.list('Pod').every((pod) => {
    const { phase } = (pod as { status?: { phase?: string } }).status ?? {};
    return phase === 'Succeeded' || phase === 'Failed';
  });
}

function loses(kind: string, suffix: string): Step {
  const ref = { kind, namespace, name: `${runName}${suffix}` };
  return {
    name: `delete ${kind}`,
    when: (cluster) => trains(cluster) && cluster.server.find(ref) !== undefined,
    act: ({ server }) => server.delete(ref, { propagationPolicy: 'Background' }),
  };
}

/** Whole lives of runs: each is played without faults, then with every single one. */
export const scenarios: readonly Scenario[] = [
  scenario('success', {}),
  scenario('one worker', { spec: { workers: 1 } }),
  scenario('pretrain only', { spec: { linear: { epochs: 0 } } }),
  scenario('retries', {
    mishaps: [
      mishap('pretrain', 5000, 1, exit(70)),
      mishap('pretrain', 15_000, 0, exit(137, 'OOMKilled')),
      mishap('linear', 5000, 1, exit(76)),
    ],
  }),
  scenario('storage and peers', {
    mishaps: [mishap('pretrain', 5000, 0, exit(74)), mishap('linear', 5000, 0, exit(69))],
  }),
  scenario('preempted worker', { mishaps: [mishap('pretrain', 5000, 1, exit(75))] }),
  scenario('bad input', { mishaps: [mishap('pretrain', 0, 0, exit(64))], ends: 'Failed' }),
  scenario('bad data', { mishaps: [mishap('linear', 1000, 1, exit(65))], ends: 'Failed' }),
  scenario('collapse', { mishaps: [mishap('pretrain', 12_000, 0, exit(77))], ends: 'Failed' }),
  scenario('no budget left', {
    spec: { failurePolicy: { maxRestarts: 1 } },
    mishaps: [mishap('pretrain', 5000, 1, exit(70)), mishap('pretrain', 6000, 1, exit(70))],
    ends: 'Failed',
  }),
  scenario('eviction', { mishaps: [mishap('pretrain', 20_000, 1, 'eviction'), mishap('linear', 5000, 0, 'eviction')] }),
  scenario('lost node', { mishaps: [mishap('pretrain', 20_000, 1, 'lost node')] }),
  scenario('lost node of worker 0', { mishaps: [mishap('linear', 10_000, 0, 'lost node')] }),
  scenario('suspend and resume', { steps: [suspend(trains), resume] }),
  scenario('suspend linear', { steps: [suspend(evaluates), resume] }),
  scenario('status of another client', { steps: [suspend(trains), strangeStatus], ends: 'Suspended' }),
  scenario('created suspended', { spec: { suspend: true }, steps: [resume] }),
  scenario('stays suspended', { steps: [suspend(trains)], ends: 'Suspended' }),
  scenario('queue', { spec: { queueName: 'team' }, preemptions: 1 }),
  scenario('suspend in a queue', { spec: { queueName: 'team' }, steps: [suspend(trains), resume] }),
  scenario('deadline', { spec: { activeDeadlineSeconds: 40 }, ends: 'Failed' }),
  scenario('time to live', { spec: { ttlSecondsAfterFinished: 60 }, ends: 'gone' }),
  scenario('delete', { steps: [remove(trains, 'Background')], ends: 'gone' }),
  scenario('delete in the foreground', { steps: [remove(trains, 'Foreground')], ends: 'gone' }),
  scenario('edits', {
    steps: [
      { name: 'deadline', when: trains, act: (c) => editRun(c, { activeDeadlineSeconds: 100_000 }) },
      { name: 'policy', when: evaluates, act: (c) => editRun(c, { failurePolicy: { maxRestarts: 3 } }) },
    ],
  }),
  scenario('late time to live', {
    steps: [
      {
        name: 'ttl',
        when: (c) => holds(c, 'Complete'),
        act: (c) => editRun(c, { ttlSecondsAfterFinished: 10 }),
      },
    ],
    ends: 'gone',
  }),
  scenario('lost children', { steps: [loses('Service', ''), loses('NetworkPolicy', '')] }),
];

/** The same life with a user's act after a revision. */
export function suspendAfter(revision: number): Scenario {
  return { ...scenario(`suspend after r${revision}`, { steps: [suspend(after(revision)), resume] }) };
}

export function deleteAfter(revision: number): Scenario {
  return { ...scenario(`delete after r${revision}`, { steps: [remove(after(revision), 'Background')], ends: 'gone' }) };
}

const after =
  (revision: number) =>
  ({ server }: Cluster) =>
    server.revision >= revision;
