import { exitCode } from '../../api/exit-codes.ts';
import type { SimSiamRun } from '../../api/run.ts';
import { workerContainer, type WorkerStage } from '../../api/worker.ts';
import type { Job, RunObject } from '../kube/objects.ts';
import { childMetadata } from './child-metadata.ts';
import { labelKeys } from './labels.ts';
import { childNames } from './names.ts';
import { buildPodTemplate } from './pod-spec.ts';

const onExitCodes = (...values: number[]) => ({ containerName: workerContainer, operator: 'In', values });

/** Ends that no other try mends fail the run at once; those that are nobody's fault count against no budget. */
const podFailurePolicy = {
  rules: [
    { action: 'FailJob', onExitCodes: onExitCodes(exitCode.badInput, exitCode.badData, exitCode.collapse) },
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    { action: 'Ignore', onExitCodes: onExitCodes(exitCode.preempted) },
  ],
};

/**
 * The Indexed Job of a stage: a pod a worker. It is made once, and only `suspend` changes afterwards. Worker 0's success
 * is the stage's: it exits 0 after the others have heard that all is committed.
 */
export function buildJob(run: RunObject, stage: WorkerStage, frozen: SimSiamRun): Job {
  const { workers, failurePolicy, queueName } = frozen.spec;
  const metadata = childMetadata(run, childNames.stage(run.metadata.name, stage), stage);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...(queueName !== undefined && { [labelKeys.queue]: queueName }) },
    },
    spec: {
      completionMode: 'Indexed',
      completions: workers,
      parallelism: workers,
      backoffLimitPerIndex: failurePolicy.maxRestarts,
      maxFailedIndexes: 0,
      podReplacementPolicy: 'Failed',
      podFailurePolicy,
      successPolicy: { rules: [{ succeededIndexes: '0' }] },
      // Kueue admits it; from then on suspend is Kueue's.
      suspend: queueName !== undefined,
      template: buildPodTemplate(run, stage, frozen),
    },
  };
}
