import type {
  CoreV1Event,
  V1ConfigMap,
  V1Job,
  V1Lease,
  V1NetworkPolicy,
  V1NetworkPolicyPeer,
  V1ObjectMeta,
  V1Pod,
  V1Secret,
  V1Service,
} from '@kubernetes/client-node';
import type { SimSiamRunSpec, SimSiamRunStatus } from '../../api/run.ts';
import type { apiVersion, kind } from '../../api/run.ts';

/**
 * An object as JSON carries it: client-node's types have Dates where the API has strings, and an underscore before names
 * that are words of the language.
 */
export type Plain<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : T extends object
      ? { [Key in keyof T as Key extends `_${infer Name}` ? Name : Key]: Plain<T[Key]> }
      : T;

export type ObjectMeta = Plain<V1ObjectMeta> & { readonly name: string };

/** What all objects of the API have. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

type Named<T, Version extends string, Kind extends string> = Omit<Plain<T>, keyof KubeObject> & {
  readonly apiVersion: Version;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
};

export type ConfigMap = Named<V1ConfigMap, 'v1', 'ConfigMap'>;
export type Event = Named<CoreV1Event, 'v1', 'Event'>;
export type Job = Named<V1Job, 'batch/v1', 'Job'>;
export type Lease = Named<V1Lease, 'coordination.k8s.io/v1', 'Lease'>;
export type NetworkPolicy = Named<V1NetworkPolicy, 'networking.k8s.io/v1', 'NetworkPolicy'>;
/** Who may connect: pods by their labels, or addresses. */
export type NetworkPolicyPeer = Plain<V1NetworkPolicyPeer>;
export type Pod = Named<V1Pod, 'v1', 'Pod'>;
export type Secret = Named<V1Secret, 'v1', 'Secret'>;
export type Service = Named<V1Service, 'v1', 'Service'>;

/** A SimSiamRun as the API server gives it: it has filled in the defaults and checked it against the CRD. */
export interface RunObject extends KubeObject {
  readonly apiVersion: typeof apiVersion;
  readonly kind: typeof kind;
  readonly spec: SimSiamRunSpec;
  readonly status?: SimSiamRunStatus;
}
