import type { SimSiamRunStatus } from '../../api/run.ts';
import type { Job, KubeObject, Pod } from '../kube/objects.ts';

/** One change to the cluster. Each does no harm if it is late or done twice. */
export type Action =
  /** Makes a child. */
  | { readonly type: 'create'; readonly object: KubeObject }
  /** Makes the Secret with the workers' token, unless there is one. */
  | { readonly type: 'create token' }
  | { readonly type: 'suspend'; readonly job: Job; readonly suspend: boolean }
  | { readonly type: 'delete job'; readonly job: Job }
  /** Declares a pod failed that no kubelet will. */
  | { readonly type: 'fail pod'; readonly pod: Pod }
  | { readonly type: 'remove pod'; readonly pod: Pod }
  | { readonly type: 'delete run' };

/** What people are told with `kubectl describe`. */
export interface RunEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface Outcome {
  /** Written first, if it differs from the observed one: what is decided for good is on record before it is acted on. */
  readonly status: SimSiamRunStatus;
  /** Done in this order. */
  readonly actions: readonly Action[];
  /** Told when the status has been written. */
  readonly events: readonly RunEvent[];
  /** When to look again though nothing changes, in ms since 1970. */
  readonly wakeAt: number | undefined;
}
