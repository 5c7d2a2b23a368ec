import type { NetworkPolicyPeer } from './kube/objects.ts';

/** Flags of `simsiam-operator`, with the defaults that hold in its image. */
export interface OperatorFlags {
  /** Namespace whose runs are cared for; all namespaces if undefined. */
  readonly namespace?: string;
  /** Default image of the trainer, for runs without `spec.image`. */
  readonly trainerImage: string;
  /** Who may read progress and metrics of the workers; every pod of the cluster if undefined. */
  readonly readers?: readonly NetworkPolicyPeer[];
  /** Port of `/healthz`, `/readyz` and `/metrics`. */
  readonly httpPort: number;
  /** Namespace of the lease; that of the pod (or kubeconfig's context) if undefined. */
  readonly leaseNamespace?: string;
  readonly leaseName: string;
  /** Runs that are reconciled at once. */
  readonly workers: number;
  readonly logLevel: string;
  /** Default: `KUBECONFIG`, `~/.kube/config`, else the pod's service account. */
  readonly kubeconfig?: string;
}

export const flagDefaults = {
  trainerImage: 'simsiam-trainer:dev',
  httpPort: 8080,
  leaseName: 'simsiam-operator',
  workers: 8,
  logLevel: 'info',
} as const satisfies Partial<OperatorFlags>;
