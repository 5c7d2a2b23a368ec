import type { SimSiamRun, SimSiamRunStatus } from '../../api/run.ts';
import type { WorkerStage } from '../../api/worker.ts';
import type { Job } from '../kube/objects.ts';
import { freeze, type Frozen } from '../resources/freeze.ts';
import { frozenRunOf } from '../resources/stage-config.ts';
import { countActiveTime, deadlineOf } from './active-time.ts';
import { clearVanished } from './clear-vanished.ts';
import { conditionsOf } from './conditions.ts';
import { countRestarts } from './count-restarts.ts';
import { diagnose } from './diagnose.ts';
import { endRun } from './end-run.ts';
import { isLast, judge, type Verdict } from './judge.ts';
import { isSuspended } from './jobs.ts';
import { latestReport, mergeProgress } from './merge-progress.ts';
import type { Observed, Settings } from './observed.ts';
import type { Action, Outcome } from './outcome.ts';
import { phaseOf } from './phase.ts';
import { runStage } from './run-stage.ts';
import { stateConditions } from './state-conditions.ts';
import { tellEvents } from './tell-events.ts';
import { holdProgress } from './hold-progress.ts';
import { earliest, timestamp } from './times.ts';

/**
 * One step of a run's life: from what is observed to what is to be changed, said and looked at again.
 *
 * Pure: it may be asked at any time, any number of times, after any crash, and of any state that the cluster has had.
 *
 * @param now ms since 1970
 */
export function reconcile(observed: Observed, settings: Settings, now: number): Outcome {
  const { run, pods } = observed;
  const before = run.status;
  const cleared = clearVanished(pods, now);
  if (run.metadata.deletionTimestamp !== undefined) {
    return { status: before ?? {}, actions: cleared.actions, events: [], wakeAt: cleared.wakeAt };
  }
  const frozen = frozenOf(observed, settings);
  const verdict = judge(observed, frozen, now);
  const finishedAt = verdict.type === 'ongoing' ? undefined : (before?.finishedAt ?? timestamp(now));
  const next =
    verdict.type === 'ongoing'
      ? { actions: runStage(observed, verdict.stage, frozen.run!, settings), wakeAt: verdict.wakeAt }
      : endRun(observed, Date.parse(finishedAt!), now);
  const job = verdict.type === 'ongoing' ? jobOf(observed, next.actions, verdict.stage) : undefined;
  const seen = see(observed, verdict, job, frozen.run, now);
  const active = countActiveTime(before, isActive(observed, verdict, job), now);
  const status: SimSiamRunStatus = {
    phase: phaseOf(verdict, observed, job, seen.report),
    observedGeneration: run.metadata.generation ?? 0,
    conditions: conditionsOf(
      stateConditions({
        observed,
        verdict,
        job,
        report: seen.report,
        problem: seen.problem,
        hasResult: seen.hasResult,
      }),
      before,
      { generation: run.metadata.generation ?? 0, time: timestamp(now) },
    ),
    ...seen.figures,
    ...seen.counts,
    ...active,
    ...(finishedAt !== undefined && { finishedAt }),
  };
  const held = holdProgress(before, status, observed.progressFrom, now);
  const actions = [...cleared.actions, ...next.actions];
  return {
    status: held.status,
    actions,
    events: tellEvents(before, held.status),
    wakeAt: earliest(
      cleared.wakeAt,
      next.wakeAt,
      seen.wakeAt,
      held.wakeAt,
      verdict.type === 'ongoing' ? deadlineOf(run.spec.activeDeadlineSeconds, active) : undefined,
    ),
  };
}

/** What the run was given when its first stage began; before that, what it is to be given. */
function frozenOf({ run, configs, jobs }: Observed, { image }: Settings): Frozen {
  const config = configs.pretrain ?? configs.linear;
  const kept = config && frozenRunOf(config);
  if (kept !== undefined) return { run: kept };
  // Its ConfigMap is lost: the Job still knows the image.
  const used = (jobs.pretrain ?? jobs.linear)?.spec?.template.spec?.containers[0]?.image;
  return freeze(run, used ?? image);
}

/** The stage's Job as it is about to be: made, or resumed. One that is to stop is told of when it does. */
function jobOf({ jobs }: Observed, actions: readonly Action[], stage: WorkerStage): Job | undefined {
  for (const action of actions) {
    if (action.type === 'create' && action.object.kind === 'Job') return action.object as Job;
    if (action.type === 'suspend' && !action.suspend) return resumed(action.job);
  }
  return jobs[stage];
}

function resumed(job: Job): Job {
  return { ...job, spec: { template: {}, ...job.spec, suspend: false } };
}

/** What pods and worker 0 tell. */
function see(observed: Observed, verdict: Verdict, job: Job | undefined, frozen: SimSiamRun | undefined, now: number) {
  const { run, pods, report, refusal } = observed;
  const pretrain = latestReport(pods, 'pretrain', report);
  const linear = latestReport(pods, 'linear', report);
  const afterPretrain = mergeProgress(run.status ?? {}, pretrain?.progress);
  const current = verdict.type === 'ongoing' ? { pretrain, linear }[verdict.stage] : undefined;
  const { problem, wakeAt } =
    verdict.type === 'ongoing' && job !== undefined && !run.spec.suspend && !isSuspended(job)
      ? diagnose(observed, verdict.stage, now)
      : { problem: undefined, wakeAt: undefined };
  const figures = mergeProgress(afterPretrain, linear?.progress);
  return {
    report: current,
    figures: pickFigures(figures),
    hasResult:
      frozen === undefined || (isLast('pretrain', frozen) ? figures.pretrain : figures.linear?.top1) !== undefined,
    counts: countRestarts(run.status, pods, linear ?? pretrain, run.spec.suspend),
    problem: refusal === undefined ? problem : { reason: 'Refused', message: refusal },
    wakeAt,
  };
}

function pickFigures({ pretrain, linear }: Pick<SimSiamRunStatus, 'pretrain' | 'linear'>) {
  return { ...(pretrain !== undefined && { pretrain }), ...(linear !== undefined && { linear }) };
}

/** Whether time counts against the deadline. Between two stages without a queue it goes on. */
function isActive({ run }: Observed, verdict: Verdict, job: Job | undefined): boolean {
  if (verdict.type !== 'ongoing') return false;
  // Between the suspension and the last checkpoint the workers still run: that time is given.
  if (job !== undefined) return !isSuspended(job) && !run.spec.suspend;
  return run.status?.activeSince !== undefined && !run.spec.suspend && run.spec.queueName === undefined;
}
