import { workerPorts } from '../../api/worker.ts';
import type { NetworkPolicy, RunObject } from '../kube/objects.ts';
import { childMetadata } from './child-metadata.ts';
import { selectorLabels } from './labels.ts';
import { childNames } from './names.ts';

/**
 * Who may connect to the workers: each other, on all ports, since collectives choose theirs and are not encrypted; all
 * else in the cluster (the operator, Prometheus) only where progress and metrics are.
 */
export function buildNetworkPolicy(run: RunObject): NetworkPolicy {
  const podSelector = { matchLabels: selectorLabels(run.metadata) };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: childMetadata(run, childNames.networkPolicy(run.metadata.name)),
    spec: {
      podSelector,
      policyTypes: ['Ingress'],
      ingress: [
        { from: [{ podSelector }] },
        { from: [{ namespaceSelector: {} }], ports: [{ port: workerPorts.http, protocol: 'TCP' }] },
      ],
    },
  };
}
