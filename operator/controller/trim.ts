import { workerContainer } from '../../api/worker.ts';
import type { ConfigMap, Job, Pod } from '../kube/objects.ts';
import { labelKeys } from '../resources/labels.ts';

// Of thousands of objects only what decisions are made from is kept in memory.

const podLabels = [labelKeys.run, labelKeys.runUid, labelKeys.stage];
const podAnnotations = ['batch.kubernetes.io/job-completion-index'];
const podConditions = new Set(['PodScheduled', 'Ready', 'DisruptionTarget']);

/** Of pods there are the most by far: half of their memory would be labels, digests and conditions that nobody reads. */
export function trimPod({ apiVersion, kind, metadata, spec, status }: Pod): Pod {
  const { labels, annotations, ownerReferences: _, finalizers: __, generateName: ___, ...identity } = metadata;
  const { phase, message, podIP, conditions, containerStatuses } = status ?? {};
  return {
    apiVersion,
    kind,
    metadata: { ...identity, labels: pick(labels, podLabels), annotations: pick(annotations, podAnnotations) },
    spec: { containers: [], ...(spec?.nodeName !== undefined && { nodeName: spec.nodeName }) },
    status: {
      ...(phase !== undefined && { phase }),
      ...(message !== undefined && { message }),
      ...(podIP !== undefined && { podIP }),
      ...(conditions !== undefined && { conditions: conditions.filter(({ type }) => podConditions.has(type)) }),
      ...(containerStatuses !== undefined && {
        containerStatuses: containerStatuses
          .filter(({ name }) => name === workerContainer)
          .map(({ name, image, ready, restartCount, state }) => ({
            ...{ name, image, imageID: '', ready, restartCount },
            ...(state !== undefined && { state }),
          })),
      }),
    },
  };
}

function pick(from: Readonly<Record<string, string>> | undefined, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => (from?.[key] === undefined ? [] : [[key, from[key]]])));
}

export function trimJob(job: Job): Job {
  const { apiVersion, kind, metadata, spec, status } = job;
  const containers = spec?.template.spec?.containers ?? [];
  const image = containers[0]?.image;
  return {
    apiVersion,
    kind,
    metadata,
    spec: {
      ...(spec?.suspend !== undefined && { suspend: spec.suspend }),
      template: { spec: { containers: [{ name: '', ...(image !== undefined && { image }) }] } },
    },
    status: { ...(status?.conditions !== undefined && { conditions: status.conditions }) },
  };
}

export function trimConfig(config: ConfigMap): ConfigMap {
  const { apiVersion, kind, metadata, data } = config;
  return { apiVersion, kind, metadata, ...(data !== undefined && { data }) };
}
