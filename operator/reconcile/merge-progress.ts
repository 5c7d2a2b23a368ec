import type { SimSiamRunStatus } from '../../api/run.ts';
import type { Progress, WorkerStage } from '../../api/worker.ts';
import { parseTerminationMessage } from '../progress/progress-schema.ts';
import type { Pod } from '../kube/objects.ts';
import type { WorkerReport } from './observed.ts';
import { endOf, indexOf, newestPods } from './pods.ts';

type Figures = Pick<SimSiamRunStatus, 'pretrain' | 'linear'>;

/**
 * What worker 0 of a stage told last: in its termination message if it has ended, else when it was asked. Undefined if it
 * has told nothing, or told it as a pod that has been replaced since.
 */
export function latestReport(
  pods: readonly Pod[],
  stage: WorkerStage,
  report: WorkerReport | undefined,
): WorkerReport | undefined {
  const worker = newestPods(pods, stage).find((pod) => indexOf(pod) === 0);
  if (worker === undefined) return undefined;
  const podUid = worker.metadata.uid ?? '';
  const last = parseTerminationMessage(endOf(worker)?.message).progress;
  if (last !== undefined) return { podUid, progress: last };
  return report?.podUid === podUid ? report : undefined;
}

/** The figures of a status with those that are newer. Four significant digits: what people read, and few differences. */
export function mergeProgress(previous: Figures, progress: Progress | undefined): Figures {
  if (progress === undefined) return previous;
  const { pretrain, linear, stage, generation } = progress;
  const figures = {
    ...previous.pretrain,
    ...rounded(pretrain === undefined ? {} : withoutTotal(pretrain)),
    ...(stage === 'pretrain' && generation > 0 && { generation }),
  };
  return {
    ...(Object.keys(figures).length > 0 && { pretrain: figures }),
    ...((linear ?? previous.linear) !== undefined && { linear: { ...previous.linear, ...rounded(linear ?? {}) } }),
  };
}

function withoutTotal(figures: NonNullable<Progress['pretrain']>): object {
  const { totalSteps: _, ...rest } = figures;
  return rest;
}

function rounded(figures: object): object {
  return Object.fromEntries(
    Object.entries(figures)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]: [string, unknown]) => [
        name,
        typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
      ]),
  );
}
