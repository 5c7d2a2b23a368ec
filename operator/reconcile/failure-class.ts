import { exitCode } from '../../api/exit-codes.ts';
import type { SimSiamRunStatus } from '../../api/run.ts';
import type { Pod } from '../kube/objects.ts';
import { conditionOf, endOf } from './pods.ts';

/** Why a worker failed, as `status.restarts` counts it. */
export type FailureClass = Exclude<keyof NonNullable<SimSiamRunStatus['restarts']>, 'total'>;

const byExitCode: Readonly<Record<number, FailureClass>> = {
  [exitCode.badInput]: 'userError',
  [exitCode.badData]: 'userError',
  [exitCode.peersLost]: 'peerLost',
  [exitCode.storage]: 'storage',
  [exitCode.preempted]: 'preempted',
  [exitCode.hang]: 'hang',
  [exitCode.collapse]: 'collapse',
};

/** The class of a failed pod. A worker that was disrupted and could still commit was preempted. */
export function failureClass(pod: Pod): FailureClass {
  const end = endOf(pod);
  const known = byExitCode[end?.exitCode ?? 0];
  if (known !== undefined) return known;
  if (conditionOf(pod, 'DisruptionTarget')?.status === 'True') return 'infrastructure';
  if (end?.reason === 'OOMKilled') return 'outOfMemory';
  // No container ended: the kubelet refused the pod, or is gone.
  return end === undefined ? 'infrastructure' : 'crash';
}
