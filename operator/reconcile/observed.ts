import type { Progress, WorkerStage } from '../../api/worker.ts';
import type { ConfigMap, Job, KubeObject, NetworkPolicyPeer, Pod, RunObject } from '../kube/objects.ts';

/** All that a decision about a run is made from, besides the time. */
export interface Observed {
  readonly run: RunObject;
  readonly jobs: Readonly<Partial<Record<WorkerStage, Job>>>;
  readonly configs: Readonly<Partial<Record<WorkerStage, ConfigMap>>>;
  readonly service: KubeObject | undefined;
  readonly networkPolicy: KubeObject | undefined;
  /** The pods of this very run, of both stages. */
  readonly pods: readonly Pod[];
  /** Children of another run of the same name that aren't gone yet. */
  readonly leftovers: readonly KubeObject[];
  /** What worker 0 told last. */
  readonly report: WorkerReport | undefined;
  /** What the API server refused the operator the last time, if it stands in the way. */
  readonly refusal: string | undefined;
  /** Why the Job controller could make no pods, the last time it tried. */
  readonly podRefusal: PodRefusal | undefined;
  /** From when on progress may be written again, in ms since 1970. */
  readonly progressFrom: number;
}

/** Progress of worker 0, with the pod that told it. */
export interface WorkerReport {
  readonly podUid: string;
  readonly progress: Progress;
}

export interface PodRefusal {
  readonly message: string;
  /** Ms since 1970. */
  readonly at: number;
}

/** What an operator is started with and decisions depend on. */
export interface Settings {
  /** Default image of the trainer. */
  readonly image: string;
  /** Who may read progress and metrics of the workers. Default: every pod of the cluster. */
  readonly readers?: readonly NetworkPolicyPeer[];
}
