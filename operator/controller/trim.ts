import type { ConfigMap, Job, Pod } from '../kube/objects.ts';

// Of thousands of objects only what decisions are made from is kept in memory.

export function trimPod(pod: Pod): Pod {
  const { apiVersion, kind, metadata, spec, status } = pod;
  const { phase, message, podIP, conditions, containerStatuses } = status ?? {};
  const { 'batch.kubernetes.io/job-completion-index': index } = metadata.annotations ?? {};
  const { annotations: _, ...rest } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      ...rest,
      ...(index !== undefined && { annotations: { 'batch.kubernetes.io/job-completion-index': index } }),
    },
    spec: { containers: [], ...(spec?.nodeName !== undefined && { nodeName: spec.nodeName }) },
    status: {
      ...(phase !== undefined && { phase }),
      ...(message !== undefined && { message }),
      ...(podIP !== undefined && { podIP }),
      ...(conditions !== undefined && { conditions }),
      ...(containerStatuses !== undefined && { containerStatuses }),
    },
  };
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
