import type { ConditionType } from '../../api/status.ts';
import type { WorkerStage } from '../../api/worker.ts';
import type { Job } from '../kube/objects.ts';
import { findCondition, holds, type Statement } from './conditions.ts';
import { adviceFor } from './advice.ts';
import type { Problem } from './diagnose.ts';
import { wordsOf } from './explain-failure.ts';
import { failureClass } from './failure-class.ts';
import type { Verdict } from './judge.ts';
import { isSuspended } from './jobs.ts';
import type { Observed, WorkerReport } from './observed.ts';
import { isOver, newestPods } from './pods.ts';

/** What the conditions are stated from, besides the observed objects. */
export interface Findings {
  readonly observed: Observed;
  readonly verdict: Verdict;
  /** Of the present stage, also one that is being made. */
  readonly job: Job | undefined;
  readonly report: WorkerReport | undefined;
  readonly problem: Problem | undefined;
  readonly hasResult: boolean;
}

export function stateConditions(findings: Findings): Record<ConditionType, Statement> {
  return {
    Admitted: admitted(findings),
    Suspended: suspended(findings),
    PretrainComplete: pretrainComplete(findings),
    Complete: complete(findings),
    Failed: failed(findings),
    Healthy: healthy(findings),
  };
}

const say = (status: Statement['status'], reason: string, message: string): Statement => ({ status, reason, message });

function admitted({ observed, verdict, job }: Findings): Statement {
  const { run } = observed;
  const { queueName, suspend } = run.spec;
  const before = findCondition(run.status, 'Admitted');
  if (verdict.type === 'failed' && before !== undefined) return before;
  if (suspend && verdict.type === 'ongoing') return say('False', 'Suspended', 'spec.suspend is true');
  if (queueName === undefined) return say('True', 'NoQueue', 'the run has no queue and may start at once');
  if (verdict.type === 'complete' || (job !== undefined && !isSuspended(job)))
    return say('True', 'QueueAdmitted', `Kueue's queue ${queueName} has admitted the run`);
  return say(
    'False',
    'WaitingForQueue',
    `the run waits for Kueue's queue ${queueName}: kubectl describe workload says what for`,
  );
}

function suspended({ observed, verdict, job }: Findings): Statement {
  const { run, pods } = observed;
  if (verdict.type !== 'ongoing' || !run.spec.suspend)
    return say('False', 'NotSuspended', 'spec.suspend is not in effect');
  // A Job with a queue is given up: while one is there, pods may be as well that the caches don't show yet.
  const isOff = job === undefined || (run.spec.queueName === undefined && isSuspended(job));
  const stopped = isOff && pods.every(isOver);
  return stopped
    ? say('True', 'Suspended', 'no pod runs; set spec.suspend to false to go on from the last checkpoint')
    : say('False', 'Stopping', 'the workers finish their step and commit a checkpoint');
}

function pretrainComplete({ observed: { run }, verdict }: Findings): Statement {
  const isPast = verdict.type === 'complete' || (verdict.type === 'ongoing' && verdict.stage === 'linear');
  const isDone = isPast || holds(run.status, 'PretrainComplete');
  return isDone
    ? say('True', 'Pretrained', 'the last checkpoint of pre-training is committed')
    : say('False', verdict.type === 'failed' ? 'Failed' : 'InProgress', 'pre-training has not finished');
}

function complete({ observed: { run }, verdict, hasResult }: Findings): Statement {
  if (verdict.type === 'failed') return say('False', 'Failed', 'the run has failed');
  if (verdict.type === 'ongoing') return say('False', 'InProgress', 'the run goes on');
  const before = findCondition(run.status, 'Complete');
  if (before?.status === 'True') return before;
  const result = `${run.spec.storage.uri.replace(/\/+$/, '')}/result.json`;
  return hasResult
    ? say('True', 'Succeeded', `all stages are done; the result is in ${result}`)
    : say(
        'True',
        'ResultUnavailable',
        `all stages are done, but worker 0 could not be asked: the figures are in ${result}`,
      );
}

function failed({ verdict }: Findings): Statement {
  if (verdict.type === 'failed') return say('True', verdict.reason, verdict.message);
  return verdict.type === 'complete'
    ? say('False', 'Succeeded', 'the run has not failed')
    : say('False', 'InProgress', 'the run goes on');
}

function healthy({ observed, verdict, job, report, problem }: Findings): Statement {
  const { run, pods } = observed;
  if (verdict.type === 'failed') return say('False', 'Failed', verdict.message);
  if (verdict.type === 'complete') return say('True', 'Succeeded', 'the run is complete');
  if (problem !== undefined) return say('False', problem.reason, problem.message);
  if (run.spec.suspend) return say('Unknown', 'Suspended', 'a suspended run does nothing');
  const collapse = report?.progress.collapse;
  if (collapse !== undefined) {
    const advice = 'end the run unless you know better; docs/troubleshooting.md says what to change';
    return say('False', 'Collapsed', `${collapse}; ${advice}`);
  }
  const hasRun = (findCondition(run.status, 'Healthy')?.status ?? 'Unknown') !== 'Unknown';
  const lives = pods.some((pod) => pod.status?.phase === 'Running');
  if (!lives && !hasRun) return say('Unknown', 'Starting', startingWords(verdict.stage, job));
  const lost = newestPods(pods, verdict.stage).find((pod) => pod.status?.phase === 'Failed');
  if (lost === undefined) return say('True', 'Running', 'nothing is known that somebody should look after');
  return say('True', 'Recovering', `${wordsOf(lost)}${adviceFor(failureClass(lost))}; the Job makes it anew`);
}

function startingWords(stage: WorkerStage, job: Job | undefined): string {
  return job !== undefined && isSuspended(job)
    ? 'the run is not admitted yet'
    : `the workers of ${stage} have not started`;
}
