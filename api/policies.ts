import { z } from 'zod';
import { field, ownField, wholeNumber } from './field.ts';

/** When checkpoints are committed, and how many are kept. */
export const checkpointSchema = z.strictObject({
  everyEpochs: field(wholeNumber(1, 100_000).default(1), {
    description: 'Epochs between two checkpoints.',
    unit: 'epochs',
    source: 'original: one each epoch',
  }),
  everyMinutes: field(wholeNumber(0, 10_080).default(15), {
    description: 'Minutes after which a checkpoint is due within an epoch; 0 leaves them to the epochs.',
    unit: 'minutes',
    source: ownField,
  }),
  keep: field(wholeNumber(1, 1000).default(3), {
    description: 'Checkpoints kept in each stage, the newest first.',
    unit: 'checkpoints',
    source: ownField,
  }),
});

/** What happens when ranks fail, hang or learn nothing. */
export const failurePolicySchema = z.strictObject({
  maxRestarts: field(wholeNumber(0, 10_000).default(10), {
    description: 'Failures of a worker before the run fails. Preemptions and lost nodes are not counted.',
    unit: 'restarts',
    source: ownField,
  }),
  hangTimeoutSeconds: field(wholeNumber(1, 86_400).default(300), {
    description: 'A run that finishes no step for so long counts as hanging.',
    unit: 'seconds',
    source: ownField,
  }),
  onCollapse: field(z.enum(['Warn', 'Fail']).default('Warn'), {
    description: 'What a collapsed representation does: a warning, or the end of the run. A NaN loss always ends it.',
    source: ownField,
  }),
});

export type CheckpointSpec = z.output<typeof checkpointSchema>;
export type FailurePolicySpec = z.output<typeof failurePolicySchema>;
