import { z } from 'zod';
import { field, ownField, stringMap, wholeNumber } from './field.ts';

/** A part of a pod that passes through untouched; the API server checks it when the pod is made. */
const kubernetesObject = z.looseObject({});

/** A Kubernetes quantity, such as 2 or `500m`. */
const quantity = z.union([z.int().min(0), z.string().min(1).max(64)]).meta({ 'x-kubernetes-int-or-string': true });

const resourcesSchema = z.strictObject({
  requests: field(z.record(z.string(), quantity).exactOptional(), {
    description: 'What a pod is sure to get.',
    source: ownField,
  }),
  limits: field(z.record(z.string(), quantity).exactOptional(), {
    description: 'What a pod may use at most. GPUs are added from gpusPerWorker.',
    source: ownField,
  }),
});

/**
 * What of the workers' pods may be set. Maps merge with what the operator sets, lists are appended, and a name that the
 * operator uses itself is refused. A run on this machine ignores it.
 */
export const podTemplateSchema = z.strictObject({
  labels: field(stringMap.exactOptional(), { description: 'Labels of the pods.', source: ownField }),
  annotations: field(stringMap.exactOptional(), { description: 'Annotations of the pods.', source: ownField }),
  nodeSelector: field(stringMap.exactOptional(), { description: 'Labels that a node must have.', source: ownField }),
  affinity: field(kubernetesObject.exactOptional(), { description: 'Affinity of the pods.', source: ownField }),
  tolerations: field(z.array(kubernetesObject).max(64).exactOptional(), {
    description: 'Taints that the pods tolerate.',
    source: ownField,
  }),
  resources: field(resourcesSchema.exactOptional(), {
    description: 'CPU, memory and other resources of the trainer.',
    source: ownField,
  }),
  volumes: field(z.array(kubernetesObject).max(64).exactOptional(), {
    description: 'Volumes of the pods.',
    source: ownField,
  }),
  volumeMounts: field(z.array(kubernetesObject).max(64).exactOptional(), {
    description: 'Where the trainer sees these volumes.',
    source: ownField,
  }),
  env: field(z.array(kubernetesObject).max(256).exactOptional(), {
    description: 'Environment of the trainer.',
    source: ownField,
  }),
  serviceAccountName: field(z.string().min(1).max(253).exactOptional(), {
    description: 'Service account of the pods.',
    source: ownField,
  }),
  imagePullSecrets: field(z.array(kubernetesObject).max(64).exactOptional(), {
    description: 'Secrets to pull the image with.',
    source: ownField,
  }),
  schedulerName: field(z.string().min(1).max(253).exactOptional(), {
    description: 'Scheduler of the pods.',
    source: ownField,
  }),
  priorityClassName: field(z.string().min(1).max(253).exactOptional(), {
    description: 'Priority class of the pods.',
    source: ownField,
  }),
  runtimeClassName: field(z.string().min(1).max(253).exactOptional(), {
    description: 'Runtime class of the pods.',
    source: ownField,
  }),
  terminationGracePeriodSeconds: field(wholeNumber(1, 86_400).default(120), {
    description: 'Time that a stopped worker has to finish its step and commit a checkpoint.',
    unit: 'seconds',
    source: ownField,
  }),
});

export type PodTemplateSpec = z.output<typeof podTemplateSchema>;
