import type { Phase } from '../../api/status.ts';
import type { WorkerStage } from '../../api/worker.ts';
import type { Job } from '../kube/objects.ts';
import type { Verdict } from './judge.ts';
import { isSuspended } from './jobs.ts';
import type { Observed, WorkerReport } from './observed.ts';
import { indexOf, isOver, isReady, newestPods } from './pods.ts';

const ofStage = { pretrain: 'Pretraining', linear: 'LinearEvaluation' } as const satisfies Record<WorkerStage, Phase>;

/**
 * What the run is doing, as one word.
 *
 * @param job of the present stage, also one that is being made
 * @param report of the present stage
 */
export function phaseOf(
  verdict: Verdict,
  { run, pods }: Observed,
  job: Job | undefined,
  report: WorkerReport | undefined,
): Phase {
  if (verdict.type === 'complete') return 'Succeeded';
  if (verdict.type === 'failed') return 'Failed';
  if (run.spec.suspend) return 'Suspended';
  if (job === undefined || isSuspended(job)) return 'Pending';
  const { stage } = verdict;
  const worker = newestPods(pods, stage).find((pod) => indexOf(pod) === 0);
  if (worker?.status?.phase === 'Succeeded') return ofStage[stage];
  if (worker === undefined || isOver(worker)) return 'Starting';
  if (report === undefined) return isReady(worker) ? ofStage[stage] : 'Starting';
  const { phase } = report.progress;
  return phase === 'Finished' ? ofStage[stage] : phase;
}
