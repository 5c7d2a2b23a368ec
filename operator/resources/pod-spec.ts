import type { SimSiamRun } from '../../api/run.ts';
import { workerContainer } from '../../api/worker.ts';
import type { WorkerStage } from '../../api/worker.ts';
import type { Job, RunObject } from '../kube/objects.ts';
import { buildContainer } from './container.ts';
import { childLabels } from './labels.ts';
import { childNames } from './names.ts';
import { buildVolumes } from './volumes.ts';

export type PodTemplate = NonNullable<Job['spec']>['template'];
export type PodSpec = NonNullable<PodTemplate['spec']>;

/** User and group of the trainer's image: volumes are made writable for them. */
const group = 65_532;
/** Pods leave a node that is gone after so long; Kubernetes' own default is five minutes. */
const tolerationSeconds = 30;

const lostNodes = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds,
}));

/** Autoscalers don't move a worker: all others would have to go back to the last checkpoint. */
export const podAnnotations = {
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
  'karpenter.sh/do-not-disrupt': 'true',
  'kubectl.kubernetes.io/default-container': workerContainer,
} as const;

/** The pods of a stage, fit for Pod Security's `restricted`. */
export function buildPodTemplate(run: RunObject, stage: WorkerStage, frozen: SimSiamRun): PodTemplate {
  const { podTemplate: template = { terminationGracePeriodSeconds: 120 } } = frozen.spec;
  const { affinity, nodeSelector, imagePullSecrets, serviceAccountName } = template;
  const { schedulerName, priorityClassName, runtimeClassName } = template;
  return {
    metadata: {
      labels: { ...template.labels, ...childLabels(run, stage) },
      annotations: { ...template.annotations, ...podAnnotations },
    },
    spec: {
      restartPolicy: 'Never',
      subdomain: childNames.service(run.metadata.name),
      terminationGracePeriodSeconds: template.terminationGracePeriodSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        fsGroup: group,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      tolerations: [...lostNodes, ...((template.tolerations ?? []) as typeof lostNodes)],
      ...(affinity !== undefined && { affinity }),
      ...(nodeSelector !== undefined && { nodeSelector }),
      ...(imagePullSecrets !== undefined && { imagePullSecrets }),
      ...(serviceAccountName !== undefined && { serviceAccountName }),
      ...(schedulerName !== undefined && { schedulerName }),
      ...(priorityClassName !== undefined && { priorityClassName }),
      ...(runtimeClassName !== undefined && { runtimeClassName }),
      containers: [buildContainer(run, stage, frozen)],
      volumes: buildVolumes(run, stage, frozen),
    },
  };
}
