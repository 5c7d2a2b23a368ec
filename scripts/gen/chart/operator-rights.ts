import type { PolicyRule } from './rbac-template.ts';

const follow = ['list', 'watch'] as const;

/** What the operator may do to runs and their children: in one namespace as a Role, in all of them as a ClusterRole. */
export const runRules: readonly PolicyRule[] = [
  // A run is deleted when its time to live is over.
  { apiGroups: ['simsiam.dev'], resources: ['simsiamruns'], verbs: [...follow, 'delete'] },
  { apiGroups: ['simsiam.dev'], resources: ['simsiamruns/status'], verbs: ['patch'] },
  { apiGroups: ['simsiam.dev'], resources: ['simsiamruns/finalizers'], verbs: ['update'] },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: [...follow, 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['configmaps', 'services'], verbs: [...follow, 'create'] },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: [...follow, 'create'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  { apiGroups: [''], resources: ['pods'], verbs: [...follow, 'delete'] },
  { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['events'], verbs: [...follow, 'create'] },
];

/** What it may do in its own namespace besides, for the election of a leader. */
export const leaseRules: readonly PolicyRule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
];
