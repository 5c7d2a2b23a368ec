import { z } from 'zod';

/** Standard conditions of a run, by the conventions of the Kubernetes API. */
export const conditionTypes = ['Admitted', 'Suspended', 'PretrainComplete', 'Complete', 'Failed', 'Healthy'] as const;

/** What a run is doing, as one word for people; programs read the conditions. */
export const phases = [
  'Pending',
  'Suspended',
  'Starting',
  'Pretraining',
  'Baselines',
  'LinearEvaluation',
  'Succeeded',
  'Failed',
] as const;
export type Phase = (typeof phases)[number];

const count = z.int().min(0);

const conditionSchema = z.strictObject({
  type: z.enum(conditionTypes).meta({ description: 'What the condition is about.' }),
  status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether it holds.' }),
  reason: z.string().min(1).max(1024).meta({ description: 'Stable word for programs that says why.' }),
  message: z.string().max(32_768).meta({ description: 'What happened and what to do, for people.' }),
  lastTransitionTime: z.string().max(64).meta({ description: 'When status last changed.', format: 'date-time' }),
  observedGeneration: count.exactOptional().meta({ description: 'Generation of the spec that this was seen for.' }),
});

const pretrainStatusSchema = z.strictObject({
  epoch: z.number().min(0).exactOptional().meta({ description: 'Epochs done.' }),
  step: count.exactOptional().meta({ description: 'Steps done.' }),
  loss: z.number().exactOptional().meta({ description: 'Loss, from −1 (best, or collapsed) to 1.' }),
  outputStd: z.number().exactOptional().meta({ description: 'Output std; healthy near 1/√dim, collapsed near 0.' }),
  effectiveRank: z.number().exactOptional().meta({ description: 'Dimensions that the features really use (RankMe).' }),
  knnTop1: z.number().exactOptional().meta({ description: 'Top-1 of the kNN monitor, in percent.' }),
  samplesPerSecond: z.number().exactOptional().meta({ description: 'Images a second over all ranks.' }),
  checkpoint: z.string().exactOptional().meta({ description: 'Last committed checkpoint.' }),
  generation: count.exactOptional().meta({ description: 'How often the ranks have met to train.' }),
});

const linearStatusSchema = z.strictObject({
  epoch: z.number().min(0).exactOptional().meta({ description: 'Epochs done.' }),
  top1: z.number().exactOptional().meta({ description: 'Top-1 of the best epoch on data.val, in percent.' }),
  top5: z.number().exactOptional().meta({ description: 'Top-5 of that epoch, in percent.' }),
  checkpoint: z.string().exactOptional().meta({ description: 'Last committed checkpoint.' }),
});

const restartsSchema = z.strictObject({
  total: count.exactOptional().meta({ description: 'Restarts in all.' }),
  infrastructure: count.exactOptional().meta({ description: 'Restarts by lost nodes, evictions and pulls.' }),
  userError: count.exactOptional().meta({ description: 'Restarts by errors that no retry mends.' }),
  peerLost: count.exactOptional().meta({ description: 'Restarts because another rank was gone.' }),
  hang: count.exactOptional().meta({ description: 'Restarts after no step had finished in time.' }),
  collapse: count.exactOptional().meta({ description: 'Ends by a collapsed representation or a NaN loss.' }),
  preempted: count
    .exactOptional()
    .meta({ description: 'Stops with a committed checkpoint, but not by spec.suspend; they count against nothing.' }),
  outOfMemory: count.exactOptional().meta({ description: 'Restarts of workers whose memory ran out.' }),
  storage: count.exactOptional().meta({ description: 'Restarts because storage, or the disk below the data, failed.' }),
  crash: count.exactOptional().meta({ description: 'Restarts of workers that failed in another way.' }),
});

/** What counting needs to remember, so that an operator that starts anew counts nothing twice. */
const countedSchema = z.strictObject({
  pods: z.array(z.string().max(64)).max(8192).exactOptional().meta({
    description: 'UIDs of failed pods that restarts contains: of those that exist, and of the last ones that do not.',
  }),
  worker: z.string().max(64).exactOptional().meta({ description: 'UID of the pod that the figures below are of.' }),
  hang: count.exactOptional().meta({ description: 'Hangs that this pod has told of.' }),
  crash: count.exactOptional().meta({ description: 'Crashes that this pod has told of.' }),
  lostSteps: count.exactOptional().meta({ description: 'Lost steps that this pod has told of.' }),
});

/** What is known of a run. The operator writes it; a manifest that has one keeps it, and `simsiam run` ignores it. */
export const statusSchema = z.strictObject({
  phase: z.enum(phases).exactOptional().meta({ description: 'What the run is doing, as one word.' }),
  observedGeneration: count.exactOptional().meta({ description: 'Generation of the spec that was last acted on.' }),
  conditions: z
    .array(conditionSchema)
    .max(16)
    .exactOptional()
    .meta({
      description: 'Admitted, Suspended, PretrainComplete, Complete, Failed and Healthy.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    }),
  pretrain: pretrainStatusSchema.exactOptional().meta({ description: 'Progress of pre-training.' }),
  linear: linearStatusSchema.exactOptional().meta({ description: 'Progress of linear evaluation.' }),
  restarts: restartsSchema.exactOptional().meta({ description: 'Restarts by their class.' }),
  lostSteps: count.exactOptional().meta({ description: 'Steps that restarts had to repeat.' }),
  activeSince: z
    .string()
    .max(64)
    .exactOptional()
    .meta({ description: 'Since when the run has been running without a pause.', format: 'date-time' }),
  activeSeconds: count
    .exactOptional()
    .meta({ description: 'Time that the run ran before that; activeDeadlineSeconds bounds both together.' }),
  finishedAt: z
    .string()
    .max(64)
    .exactOptional()
    .meta({ description: 'When the run ended; ttlSecondsAfterFinished counts from here.', format: 'date-time' }),
  counted: countedSchema.exactOptional().meta({ description: "The operator's memory of what it has counted." }),
});

export type SimSiamRunStatus = z.output<typeof statusSchema>;
export type ConditionType = (typeof conditionTypes)[number];
export type Condition = z.output<typeof conditionSchema>;
