import type { SimSiamRunStatus } from '../../api/run.ts';
import type { Pod } from '../kube/objects.ts';
import { failureClass, type FailureClass } from './failure-class.ts';
import type { WorkerReport } from './observed.ts';
import { indexOf, stageOf } from './pods.ts';

type Counts = Pick<SimSiamRunStatus, 'restarts' | 'lostSteps' | 'counted'>;

/**
 * Counts failed pods by class, and what worker 0 tells of restarts within living pods. Each is counted once: the UIDs of
 * counted pods are kept while the pods exist, and a little longer, since another operator may see pods later than this one.
 *
 * Generations that ended since a peer was lost aren't counted: the peer's pod is. Nor are workers that stopped as their
 * run was suspended, or as their stage was done: once worker 0 has succeeded, the Job ends whoever hasn't ended by itself.
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
  const news = failed.filter((pod) => !before.has(uidOf(pod)));
  const told = toldOf(report);
  const known = report !== undefined && counted.worker === report.podUid ? counted : {};
  const grown = (name: keyof typeof told): number => Math.max(0, told[name] - (known[name] ?? 0));
  const done = new Set(pods.filter(isSuccessOfFirst).map(stageOf));
  const wasToGo = (pod: Pod): boolean => isSuspended || done.has(stageOf(pod));
  const classes = news.flatMap((pod) => {
    const name = failureClass(pod);
    return name === 'preempted' && wasToGo(pod) ? [] : [name];
  });
  const additions: [FailureClass, number][] = [
    ...classes.map((name): [FailureClass, number] => [name, 1]),
    ['hang', grown('hang')],
    ['crash', grown('crash')],
  ];
  const sums: Record<string, number> = { ...restarts };
  for (const [name, number] of additions) if (number > 0) sums[name] = (sums[name] ?? 0) + number;
  sums['total'] = Object.entries(sums).reduce((sum, [name, number]) => (name === 'total' ? sum : sum + number), 0);
  const uids = remembered([...before, ...news.map(uidOf)], new Set(failed.map(uidOf)));
  const { pods: _, ...figures } = report === undefined ? counted : { ...counted, worker: report.podUid, ...told };
  const memory = { ...figures, ...(uids.length > 0 && { pods: uids }) };
  return {
    restarts: sums,
    lostSteps: lostSteps + grown('lostSteps'),
    ...(Object.keys(memory).length > 0 && { counted: memory }),
  };
}

/** How many pods that are gone are remembered. */
const goneRemembered = 32;

/** The UIDs of those that exist and of the last ones that don't, in the order in which they were counted. */
function remembered(counted: readonly string[], existing: ReadonlySet<string>): string[] {
  const forgotten = new Set(counted.filter((uid) => !existing.has(uid)).slice(0, -goneRemembered));
  return counted.filter((uid) => !forgotten.has(uid));
}

const uidOf = ({ metadata }: Pod): string => metadata.uid ?? '';

const isSuccessOfFirst = (pod: Pod): boolean => indexOf(pod) === 0 && pod.status?.phase === 'Succeeded';

function toldOf(report: WorkerReport | undefined): { hang: number; crash: number; lostSteps: number } {
  const { restarts, lostSteps = 0 } = report?.progress ?? {};
  return { hang: restarts?.hang ?? 0, crash: restarts?.failed ?? 0, lostSteps };
}
