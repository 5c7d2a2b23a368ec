import { z } from 'zod';
import { dataSchema } from './data.ts';
import { field, ownField, stringMap, wholeNumber } from './field.ts';
import { linearSchema } from './linear.ts';
import { podTemplateSchema } from './pod-template.ts';
import { checkpointSchema, failurePolicySchema } from './policies.ts';
import { pretrainSchema } from './pretrain.ts';
import { statusSchema } from './status.ts';
import { storageSchema } from './storage.ts';

export const apiGroup = 'simsiam.dev';
export const apiVersion = `${apiGroup}/v1alpha1`;
export const kind = 'SimSiamRun';

/** Children's names are the run's name and a suffix, without hashing; so the name is a short RFC 1035 label. */
export const runName = { pattern: /^[a-z]([-a-z0-9]*[a-z0-9])?$/, maxLength: 48 } as const;

/** What of the metadata people write, and what the API server adds to it. */
const metadataSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(runName.maxLength)
    .regex(runName.pattern)
    .meta({ allowed: `1 to ${runName.maxLength} of a-z, 0-9 and hyphens, first a letter, last no hyphen` }),
  namespace: z.string().min(1).max(63).exactOptional(),
  labels: stringMap.exactOptional(),
  annotations: stringMap.exactOptional(),
  uid: z.string().exactOptional(),
  resourceVersion: z.string().exactOptional(),
  generation: z.int().min(0).exactOptional(),
  creationTimestamp: z.string().exactOptional(),
  deletionTimestamp: z.string().exactOptional(),
  deletionGracePeriodSeconds: z.int().min(0).exactOptional(),
  finalizers: z.array(z.string()).exactOptional(),
  ownerReferences: z.array(z.looseObject({})).exactOptional(),
  managedFields: z.array(z.looseObject({})).exactOptional(),
});

/** What is wanted of a run. */
const specSchema = z.strictObject({
  workers: field(wholeNumber(1, 4096).default(1), {
    description: 'Pods in a cluster, on one machine groups of ranks.',
    unit: 'pods',
    source: 'original --world-size',
  }),
  gpusPerWorker: field(wholeNumber(0, 64).default(1), {
    description: 'GPUs, and so ranks, of a worker; 0 is one rank on the CPU. A machine without GPUs counts it as 0.',
    unit: 'GPUs',
    source: 'original --multiprocessing-distributed: one process a GPU',
  }),
  threadsPerRank: field(wholeNumber(1, 1024).exactOptional(), {
    description: 'Threads that a rank computes with; unset, the ranks share the cores. Bit-equal runs need it equal.',
    unit: 'threads',
    source: ownField,
  }),
  loaderThreadsPerRank: field(wholeNumber(1, 256).exactOptional(), {
    description: 'Threads that decode and augment for a rank; unset, as many as its cores. They change no result.',
    unit: 'threads',
    source: 'original --workers (32)',
  }),
  collectives: field(z.enum(['auto', 'nccl', 'grpc']).exactOptional(), {
    description:
      'How ranks exchange tensors; unset is `auto`: NCCL where all ranks have GPUs, memory where up to 8 run on the cores of one machine, else gRPC.',
    source: 'original --dist-backend',
  }),
  suspend: field(z.boolean().default(false), {
    description: 'Stop the run at a committed checkpoint and free its pods; false goes on from there.',
    source: ownField,
  }),
  image: field(z.string().min(1).max(4096).exactOptional(), {
    description: "Image of the trainer; unset, the operator's own.",
    source: ownField,
  }),
  data: field(dataSchema, { description: 'Where the images are.', source: 'original: positional DATA' }),
  pretrain: field(pretrainSchema.prefault({}), {
    description: 'Self-supervised pre-training.',
    source: 'paper §3; original main_simsiam.py',
  }),
  linear: field(linearSchema.prefault({}), {
    description: 'Linear evaluation of the frozen backbone, after pre-training.',
    source: 'paper appendix A; original main_lincls.py',
  }),
  storage: field(storageSchema, { description: 'Where checkpoints, histories and results go.', source: ownField }),
  checkpoint: field(checkpointSchema.prefault({}), {
    description: 'When checkpoints are committed, and how many are kept.',
    source: ownField,
  }),
  failurePolicy: field(failurePolicySchema.prefault({}), {
    description: 'What happens when ranks fail, hang or learn nothing.',
    source: ownField,
  }),
  queueName: field(z.string().min(1).max(253).exactOptional(), {
    description: 'Kueue LocalQueue that admits the run.',
    source: ownField,
  }),
  podTemplate: field(podTemplateSchema.exactOptional(), {
    description: "What of the workers' pods is set besides; a run on one machine ignores it.",
    source: ownField,
  }),
  gpuResourceName: field(z.string().min(1).max(253).default('nvidia.com/gpu'), {
    description: 'Resource that counts as a GPU, such as a MIG profile or amd.com/gpu.',
    source: ownField,
  }),
  activeDeadlineSeconds: field(wholeNumber(1, 315_360_000).exactOptional(), {
    description: 'Longest time of both stages together, without suspended time; then the run fails.',
    unit: 'seconds',
    source: ownField,
  }),
  ttlSecondsAfterFinished: field(wholeNumber(0, 315_360_000).exactOptional(), {
    description: 'Time after which a finished SimSiamRun is deleted; its data stay.',
    unit: 'seconds',
    source: ownField,
  }),
});

/** The shape and the defaults of a SimSiamRun. Rules over several fields are in `rules.ts`. */
export const simSiamRunSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(kind),
  metadata: metadataSchema,
  spec: specSchema,
  status: statusSchema.exactOptional(),
});

/** A run whose defaults are all filled in. */
export type SimSiamRun = z.output<typeof simSiamRunSchema>;
/** A run as people write it. */
export type SimSiamRunInput = z.input<typeof simSiamRunSchema>;
export type SimSiamRunSpec = SimSiamRun['spec'];

export type { AblationSpec } from './ablation.ts';
export type { AugmentationChain, AugmentationSpec, NormalizeSpec } from './augmentation.ts';
export type { DataSpec } from './data.ts';
export type { LinearSpec } from './linear.ts';
export type { PodTemplateSpec } from './pod-template.ts';
export type { CheckpointSpec, FailurePolicySpec } from './policies.ts';
export type { Architecture, KnnSpec, PretrainSpec } from './pretrain.ts';
export type { SimSiamRunStatus } from './status.ts';
export type { StorageSpec } from './storage.ts';
