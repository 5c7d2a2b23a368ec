import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const annotation = 'kwok.x-k8s.io/node';

/** A node that no machine is behind: KWOK runs the pods on it. */
export function fakeNode(name: string, capacity: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, annotations: { [annotation]: 'fake' }, labels: { 'kubernetes.io/hostname': name } },
    status: { capacity, allocatable: capacity },
  };
}

/** What becomes of the pods of fake nodes. */
export interface FakePods {
  /** Of all pods. */
  readonly podIp: string;
  /**
   * They succeed as soon as they run, with this termination message, a Go template without apostrophes. Default: they run
   * until they are deleted.
   */
  readonly lastWords?: string;
}

const lives = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const isDeleted = { key: '.metadata.deletionTimestamp', operator: 'Exists' };
const isNotReady = {
  key: '.status.conditions.[] | select(.type == "Ready") | .status',
  operator: 'NotIn',
  values: ['True'],
};
const isIn = (phase: string) => ({ key: '.status.phase', operator: 'In', values: [phase] });

/** Pods come up at once and vanish when they are deleted. KWOK cares for a node's pods only if it cares for the node. */
function stages({ podIp, lastWords }: FakePods): object[] {
  const ready = 'conditions: [{type: Ready, status: "True", reason: Fake}]';
  return [
    stage('Node', 'node-is-ready', [isNotReady], { statusTemplate: ready }),
    stage('Pod', 'pod-runs', [lives, isIn('Pending')], { statusTemplate: runningStatus(podIp) }),
    ...(lastWords === undefined
      ? []
      : [stage('Pod', 'pod-succeeds', [lives, isIn('Running')], { statusTemplate: succeededStatus(lastWords) })]),
    stage('Pod', 'pod-ends', [isDeleted], { finalizers: { empty: true }, delete: true }),
  ];
}

function stage(of: 'Node' | 'Pod', name: string, matchExpressions: readonly object[], next: object): object {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind: of }, selector: { matchExpressions }, next },
  };
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

function succeededStatus(lastWords: string): string {
  return `{{ $now := Now }}
phase: Succeeded
conditions:
- {type: ContainersReady, status: "False", reason: PodCompleted, lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "False", reason: PodCompleted, lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
      message: '{{ with $ }}${lastWords}{{ end }}'
{{ end }}
`;
}

/** With its default of 4 what is measured is how long KWOK waits for the API server. */
const parallelism = {
  apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
  kind: 'KwokConfiguration',
  options: { podPlayStageParallelism: 8, nodePlayStageParallelism: 4 },
};

export function kwokFlags(folder: string, kubeconfig: string, port: number, pods: FakePods): string[] {
  const config = join(folder, 'kwok.yaml');
  writeFileSync(config, [parallelism, ...stages(pods)].map((document) => JSON.stringify(document)).join('\n---\n'));
  return [
    `--kubeconfig=${kubeconfig}`,
    `--config=${config}`,
    `--manage-nodes-with-annotation-selector=${annotation}=fake`,
    '--node-lease-duration-seconds=0',
    `--server-address=127.0.0.1:${port}`,
  ];
}
