import type { SimSiamRunStatus } from '../../api/run.ts';
import type { Pod } from '../kube/objects.ts';
import { failureClass, type FailureClass } from './failure-class.ts';
import type { WorkerReport } from './observed.ts';

type Counts = Pick<SimSiamRunStatus, 'restarts' | 'lostSteps' | 'counted'>;

/**
 * Counts failed pods by class, and what worker 0 tells of restarts within living pods. Each is counted once: the UIDs of
 * counted pods are kept while the pods exist, as a Job does it.
 *
 * Generations that ended since a peer was lost aren't counted: the peer's pod is. Nor are workers that stopped as their
 * run was suspended.
 */
export function countRestarts(
  previous: SimSiamRunStatus | undefined,
  pods: readonly Pod[],
  report: WorkerReport | undefined,
  isSuspended: boolean,
): Counts {
  const { restarts = {}, lostSteps = 0, counted = {} } = previous ?? {};
  const failed = pods.filter(({ status }) => status?.phase === 'Failed');
  const before = new Set(counted.pods);
  const news = failed.filter(({ metadata }) => !before.has(metadata.uid ?? ''));
  const told = toldOf(report);
  const known = report !== undefined && counted.worker === report.podUid ? counted : {};
  const grown = (name: keyof typeof told): number => Math.max(0, told[name] - (known[name] ?? 0));
  const classes = news.map(failureClass).filter((name) => !(isSuspended && name === 'preempted'));
  const additions: [FailureClass, number][] = [
    ...classes.map((name): [FailureClass, number] => [name, 1]),
    ['hang', grown('hang')],
    ['crash', grown('crash')],
  ];
  const sums: Record<string, number> = { ...restarts };
  for (const [name, number] of additions) if (number > 0) sums[name] = (sums[name] ?? 0) + number;
  sums['total'] = Object.entries(sums).reduce((sum, [name, number]) => (name === 'total' ? sum : sum + number), 0);
  const uids = failed.map(({ metadata }) => metadata.uid ?? '').toSorted();
  const { pods: _, ...figures } = report === undefined ? counted : { ...counted, worker: report.podUid, ...told };
  const memory = { ...figures, ...(uids.length > 0 && { pods: uids }) };
  return {
    restarts: sums,
    lostSteps: lostSteps + grown('lostSteps'),
    ...(Object.keys(memory).length > 0 && { counted: memory }),
  };
}

function toldOf(report: WorkerReport | undefined): { hang: number; crash: number; lostSteps: number } {
  const { restarts, lostSteps = 0 } = report?.progress ?? {};
  return { hang: restarts?.hang ?? 0, crash: restarts?.failed ?? 0, lostSteps };
}
