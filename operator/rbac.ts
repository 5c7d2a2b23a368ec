import { apiGroup } from '../api/run.ts';

/** A rule of a Role, as `rbac.authorization.k8s.io/v1` has it. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const follow = ['list', 'watch'] as const;

/** What the operator may do to runs and their children: in one namespace as a Role, in all of them as a ClusterRole. */
export const runRules: readonly PolicyRule[] = [
  // A run is deleted when its time to live is over.
  { apiGroups: [apiGroup], resources: ['simsiamruns'], verbs: [...follow, 'delete'] },
  { apiGroups: [apiGroup], resources: ['simsiamruns/status'], verbs: ['patch'] },
  // Where the admission plugin OwnerReferencesPermissionEnforcement is on, children may only then block their run's deletion.
  { apiGroups: [apiGroup], resources: ['simsiamruns/finalizers'], verbs: ['update'] },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: [...follow, 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['configmaps', 'services'], verbs: [...follow, 'create'] },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: [...follow, 'create'] },
  // Never read: neither a run's credentials nor its token.
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  // Pods of vanished nodes are declared failed and removed; all others are the Job controller's.
  { apiGroups: [''], resources: ['pods'], verbs: [...follow, 'delete'] },
  { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
  // Read for why a Job can't make its pods, such as a quota.
  { apiGroups: [''], resources: ['events'], verbs: [...follow, 'create'] },
];

/** What it may do in its own namespace besides, for the election of a leader. */
export const leaseRules: readonly PolicyRule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
];
