import { workerPorts } from '../../api/worker.ts';
import type { NetworkPolicy, NetworkPolicyPeer, RunObject } from '../kube/objects.ts';
import { childMetadata } from './child-metadata.ts';
import { selectorLabels } from './labels.ts';
import { childNames } from './names.ts';

/** Every pod of the cluster. */
const everyPod: readonly NetworkPolicyPeer[] = [{ namespaceSelector: {} }];

/**
 * Who may connect to the workers: each other, on all ports, since collectives choose theirs and are not encrypted; and
 * those who read progress and metrics (the operator, Prometheus), only where these are.
 *
 * @param readers default: every pod of the cluster
 */
export function buildNetworkPolicy(run: RunObject, readers = everyPod): NetworkPolicy {
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
        // Without any peer a rule would let in everybody.
        ...(readers.length === 0 ? [] : [{ from: [...readers], ports: [{ port: workerPorts.http, protocol: 'TCP' }] }]),
      ],
    },
  };
}
