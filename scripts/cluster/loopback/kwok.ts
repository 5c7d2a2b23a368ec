import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const annotation = 'kwok.x-k8s.io/node';

/** A node that no machine is behind: KWOK runs the pods on it. */
export function fakeNode(name: string, capacity: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, annotations: { [annotation]: 'fake' }, labels: { 'kubernetes.io/hostname': name } },
    status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'True', reason: 'Fake' }] },
  };
}

/** Pods come up at once, all with one address, and vanish when they are deleted. */
function podStages(podIp: string): object[] {
  const isDeleted = (operator: 'Exists' | 'DoesNotExist') => ({ key: '.metadata.deletionTimestamp', operator });
  const stage = (name: string, matchExpressions: object[], next: object) => ({
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind: 'Pod' }, selector: { matchExpressions }, next },
  });
  const isPending = { key: '.status.phase', operator: 'In', values: ['Pending'] };
  return [
    stage('pod-runs', [isDeleted('DoesNotExist'), isPending], { statusTemplate: runningStatus(podIp) }),
    stage('pod-ends', [isDeleted('Exists')], { finalizers: { empty: true }, delete: true }),
  ];
}

/** A Go template of YAML. */
function runningStatus(podIp: string): string {
  return `{{ $now := Now }}
phase: Running
hostIP: ${podIp}
podIP: ${podIp}
podIPs: [{ip: ${podIp}}]
startTime: {{ $now | Quote }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  restartCount: 0
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ end }}
`;
}

export function kwokFlags(folder: string, kubeconfig: string, port: number, podIp: string): string[] {
  const config = join(folder, 'kwok.yaml');
  writeFileSync(
    config,
    podStages(podIp)
      .map((stage) => JSON.stringify(stage))
      .join('\n---\n'),
  );
  return [
    `--kubeconfig=${kubeconfig}`,
    `--config=${config}`,
    `--manage-nodes-with-annotation-selector=${annotation}=fake`,
    '--node-lease-duration-seconds=0',
    `--server-address=127.0.0.1:${port}`,
  ];
}
