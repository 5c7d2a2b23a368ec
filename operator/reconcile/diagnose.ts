import type { WorkerStage } from '../../api/worker.ts';
import type { Pod } from '../kube/objects.ts';
import { adviceFor } from './advice.ts';
import { failureClass } from './failure-class.ts';
import { wordsOf } from './explain-failure.ts';
import type { Observed } from './observed.ts';
import { conditionOf, indexOf, isOver, newestPods, trainerOf } from './pods.ts';
import { earliest } from './times.ts';

/** Something that keeps a run from going on and that somebody should look after. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
}

export interface Diagnosis {
  readonly problem: Problem | undefined;
  /** When what is no problem yet becomes one, in ms since 1970. */
  readonly wakeAt: number | undefined;
}

/** Images take long to pull, but a pod whose volumes are there begins to pull within this time. */
const startPatienceMs = 120_000;
/** A refusal of pods is old news after so long: the Job controller tries again within it. */
const podRefusalMs = 900_000;

type Check = (pod: Pod) => Problem | undefined;

/** Why pods of a stage don't run, by what the scheduler and the kubelets say of the youngest pod of each worker. */
export function diagnose({ pods, podRefusal }: Observed, stage: WorkerStage, now: number): Diagnosis {
  const current = newestPods(pods, stage).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const waiting = current.filter((pod) => pod.status?.phase === 'Pending');
  for (const check of checks) {
    const found = (check === outOfMemory ? current : waiting).flatMap((pod) => check(pod) ?? []);
    if (found[0] !== undefined) return { problem: found[0], wakeAt: undefined };
  }
  const stuck = waiting.filter(isCreating).map((pod) => ({ pod, due: scheduledAt(pod) + startPatienceMs }));
  const overdue = stuck.find(({ due }) => now >= due);
  if (overdue !== undefined) return { problem: missingVolume(overdue.pod), wakeAt: undefined };
  const lives = current.some((pod) => !isOver(pod));
  if (!lives && podRefusal !== undefined && now < podRefusal.at + podRefusalMs) {
    const message = `the Job's pods are refused: ${podRefusal.message}; the Job tries again by itself`;
    return { problem: { reason: 'PodsRefused', message }, wakeAt: podRefusal.at + podRefusalMs };
  }
  return { problem: undefined, wakeAt: earliest(...stuck.map(({ due }) => due)) };
}

function unschedulable(pod: Pod): Problem | undefined {
  const condition = conditionOf(pod, 'PodScheduled');
  if (condition?.status !== 'False' || condition.reason !== 'Unschedulable') return undefined;
  return { reason: 'Unschedulable', message: `worker ${indexOf(pod)} has no node: ${stable(condition.message ?? '')}` };
}

const imageReasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull']);

function image(pod: Pod): Problem | undefined {
  const { reason = '', message = '' } = trainerOf(pod)?.state?.waiting ?? {};
  if (!imageReasons.has(reason)) return undefined;
  const name = trainerOf(pod)?.image ?? '';
  return {
    reason: 'ImagePullBackOff',
    message:
      `worker ${indexOf(pod)} can't pull the image ${name}: ${imageWords(message)}; check spec.image and ` +
      `spec.podTemplate.imagePullSecrets`,
  };
}

function configuration(pod: Pod): Problem | undefined {
  const { reason, message = '' } = trainerOf(pod)?.state?.waiting ?? {};
  if (reason !== 'CreateContainerConfigError' && reason !== 'CreateContainerError') return undefined;
  return {
    reason: 'ContainerConfig',
    message: `worker ${indexOf(pod)} can't start: ${message}; once what is missing is there it starts by itself`,
  };
}

function outOfMemory(pod: Pod): Problem | undefined {
  if (pod.status?.phase !== 'Failed' || failureClass(pod) !== 'outOfMemory') return undefined;
  return { reason: 'OutOfMemory', message: `${wordsOf(pod)}${adviceFor('outOfMemory')}` };
}

const checks: readonly Check[] = [image, configuration, unschedulable, outOfMemory];

const isCreating = (pod: Pod): boolean =>
  trainerOf(pod)?.state?.waiting?.reason === 'ContainerCreating' && conditionOf(pod, 'PodScheduled')?.status === 'True';

const scheduledAt = (pod: Pod): number => Date.parse(conditionOf(pod, 'PodScheduled')?.lastTransitionTime ?? '') || 0;

function missingVolume(pod: Pod): Problem {
  return {
    reason: 'PodStarting',
    message:
      `worker ${indexOf(pod)} has been waiting for its volumes or its network for over two minutes: check that the ` +
      `Secrets and PersistentVolumeClaims that the run names exist (kubectl describe pod ${pod.metadata.name})`,
  };
}

/** The scheduler's words, without its numbers of nodes in the first part that change as nodes come and go. */
const stable = (message: string): string => message.replace(/\s+/g, ' ').slice(0, 1000);

/** Kubelets alternate between the error and "Back-off pulling image …: ErrImagePull: " with the error: that is kept. */
function imageWords(message: string): string {
  const [words] = /failed to .*$/i.exec(message.replace(/\s+/g, ' ')) ?? [message];
  return words.replace(/^Back-off .*?: Err\w+: /, '').slice(0, 500);
}
