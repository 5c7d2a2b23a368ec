import type { SimSiamRun } from '../../api/run.ts';
import type { WorkerStage } from '../../api/worker.ts';
import { buildJob } from '../resources/job.ts';
import { buildNetworkPolicy } from '../resources/network-policy.ts';
import { buildService } from '../resources/service.ts';
import { buildStageConfig, frozenRunOf } from '../resources/stage-config.ts';
import { refreeze } from '../resources/freeze.ts';
import { endOfJob, isSuspended } from './jobs.ts';
import type { Observed, Settings } from './observed.ts';
import type { Action } from './outcome.ts';
import { isOver } from './pods.ts';

/** What makes a stage go on, or stop while the run is suspended. */
export function runStage(
  observed: Observed,
  stage: WorkerStage,
  frozen: SimSiamRun,
  settings: Settings,
): readonly Action[] {
  const { run, jobs } = observed;
  const job = jobs[stage];
  const { suspend, queueName } = run.spec;
  if (job === undefined) {
    if (suspend) return [];
    return hasRoom(observed) ? makeStage(observed, stage, frozen, settings) : missingShared(observed, settings);
  }
  if (job.metadata.deletionTimestamp !== undefined || endOfJob(job) !== undefined) return [];
  // Kueue owns `suspend` of a Job with a queue: there a user's suspend gives the Job up, with its place in the queue.
  if (queueName !== undefined) return suspend ? [{ type: 'delete job', job }] : missingShared(observed, settings);
  if (isSuspended(job) !== suspend) return [...missingShared(observed, settings), { type: 'suspend', job, suspend }];
  return suspend ? [] : missingShared(observed, settings);
}

/** Whether a Job may be made: none of another run's of the same name is left, and no pod of this run lives. */
function hasRoom({ leftovers, pods }: Observed): boolean {
  return leftovers.length === 0 && pods.every(isOver);
}

function makeStage(observed: Observed, stage: WorkerStage, frozen: SimSiamRun, settings: Settings): Action[] {
  const { run, configs } = observed;
  const config = configs[stage];
  const first = configs.pretrain === undefined ? frozen : refreeze(frozen, run);
  // Made before the stage's first Job, and kept: a Job that is made again is given the same.
  const content = (config && frozenRunOf(config)) ?? first;
  return [
    ...(configs.pretrain === undefined && configs.linear === undefined ? [{ type: 'create token' } as const] : []),
    ...(config === undefined ? [create(buildStageConfig(run, stage, content))] : []),
    ...missingShared(observed, settings),
    create(buildJob(run, stage, content)),
  ];
}

/** The children that both stages share. */
function missingShared({ run, service, networkPolicy, leftovers }: Observed, { readers }: Settings): Action[] {
  if (leftovers.length > 0) return [];
  return [
    ...(service === undefined ? [create(buildService(run))] : []),
    ...(networkPolicy === undefined ? [create(buildNetworkPolicy(run, readers))] : []),
  ];
}

const create = (object: Extract<Action, { type: 'create' }>['object']): Action => ({ type: 'create', object });
