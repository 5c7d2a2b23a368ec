import type { Progress, WorkerStage } from '../../../api/worker.ts';
import type { Condition, ConditionType } from '../../../api/status.ts';
import type { Job, Pod, RunObject } from '../../../operator/kube/objects.ts';
import type { Observed } from '../../../operator/reconcile/observed.ts';
import { freeze } from '../../../operator/resources/freeze.ts';
import { buildStageConfig } from '../../../operator/resources/stage-config.ts';
import { buildJob } from '../../../operator/resources/job.ts';
import { childLabels } from '../../../operator/resources/labels.ts';
import { runOf } from '../fixtures.ts';

export const start = Date.UTC(2026, 0, 1);
export const settings = { image: 'trainer:1' };
export const at = (seconds: number): string => `${new Date(start + seconds * 1000).toISOString().slice(0, 19)}Z`;

export function observedOf(parts: Partial<Observed> = {}): Observed {
  return {
    run: runOf(),
    jobs: {},
    configs: {},
    service: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'digits' } },
    networkPolicy: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'digits' } },
    pods: [],
    leftovers: [],
    report: undefined,
    refusal: undefined,
    podRefusal: undefined,
    progressFrom: 0,
    ...parts,
  };
}

export function withConditions(
  run: RunObject,
  ...types: readonly (ConditionType | `not ${ConditionType}`)[]
): RunObject {
  const conditions = types.map((type): Condition => {
    const holds = !type.startsWith('not ');
    return {
      type: type.replace('not ', '') as ConditionType,
      status: holds ? 'True' : 'False',
      reason: 'Before',
      message: 'from before',
      lastTransitionTime: at(-100),
    };
  });
  return { ...run, status: { ...run.status, conditions } };
}

/** A stage's Job as it would be made, with the conditions that the Job controller has given it. */
export function jobOf(
  run: RunObject,
  stage: WorkerStage,
  ...conditions: readonly { type: string; reason?: string; message?: string; seconds?: number }[]
): Job {
  const job = buildJob(run, stage, freeze(run, settings.image).run!);
  return {
    ...job,
    metadata: { ...job.metadata, uid: `uid-of-${job.metadata.name}`, resourceVersion: '9' },
    status: {
      conditions: conditions.map(({ type, reason = '', message = '', seconds = 0 }) => ({
        ...{ type, reason, message, status: 'True' },
        lastTransitionTime: at(seconds),
      })),
    },
  };
}

export function configOf(run: RunObject, stage: WorkerStage, image = settings.image) {
  return buildStageConfig(run, stage, freeze(run, image).run!);
}

export interface PodParts {
  readonly stage?: WorkerStage;
  readonly index?: number;
  readonly uid?: string;
  readonly created?: number;
  readonly phase?: string;
  readonly exit?: {
    readonly code: number;
    readonly reason?: string;
    readonly message?: string;
    readonly seconds?: number;
  };
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly conditions?: readonly {
    type: string;
    status: string;
    reason?: string;
    message?: string;
    seconds?: number;
  }[];
  readonly deleted?: number;
  readonly grace?: number;
}

export function podOf(run: RunObject, parts: PodParts = {}): Pod {
  const { stage = 'pretrain', index = 0, created = 0, exit, waiting, conditions = [], deleted, grace = 30 } = parts;
  const {
    phase = exit === undefined
      ? waiting === undefined
        ? 'Running'
        : 'Pending'
      : exit.code === 0
        ? 'Succeeded'
        : 'Failed',
  } = parts;
  const uid = parts.uid ?? `uid-${stage}-${index}-${created}`;
  const terminated = exit && {
    exitCode: exit.code,
    reason: exit.reason ?? (exit.code === 0 ? 'Completed' : 'Error'),
    finishedAt: at(exit.seconds ?? 0),
    ...(exit.message !== undefined && { message: exit.message }),
  };
  const container = { name: 'trainer', image: 'trainer:1', imageID: '', ready: false, restartCount: 0 };
  const state = terminated ? { terminated } : waiting ? { waiting } : { running: { startedAt: at(created) } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `digits-${stage}-${index}-${created}`,
      namespace: 'research',
      uid,
      resourceVersion: '3',
      creationTimestamp: at(created),
      labels: childLabels(run, stage),
      annotations: { 'batch.kubernetes.io/job-completion-index': String(index) },
      ...(deleted !== undefined && { deletionTimestamp: at(deleted), deletionGracePeriodSeconds: grace }),
    },
    status: {
      phase,
      podIP: '10.0.0.1',
      conditions: conditions.map(({ seconds = 0, ...condition }) => ({
        ...condition,
        lastTransitionTime: at(seconds),
      })),
      containerStatuses: [{ ...container, state }],
    },
  };
}

export function progressOf(parts: Partial<Progress> = {}): Progress {
  return {
    stage: 'pretrain',
    phase: 'Pretraining',
    generation: 1,
    updatedAt: at(0),
    pretrain: { epoch: 1.23456, step: 100, totalSteps: 400, loss: -0.876543, outputStd: 0.02 },
    restarts: { peerLost: 0, hang: 0, failed: 0 },
    lostSteps: 0,
    ...parts,
  };
}
