import type { ProgressMessage } from '../../trainer/launch/messages.ts';

/** A message of pre-training in its first epoch, with what is given instead. */
export function progress(fields: Partial<Omit<ProgressMessage, 'type'>>): ProgressMessage {
  return {
    type: 'progress',
    stage: 'pretrain',
    epoch: 0,
    epochs: 4,
    step: 1,
    totalSteps: 100,
    loss: -0.5,
    learningRate: 0.05,
    samplesPerSecond: 100,
    epochEnd: false,
    ...fields,
  };
}
