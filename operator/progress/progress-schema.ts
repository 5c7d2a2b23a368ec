import { z } from 'zod';
import type { Progress, TerminationMessage } from '../../api/worker.ts';

// The run's own image tells this: a figure that isn't as it should be is left out, so that it can't spoil a status.
const figure = z.number().optional().catch(undefined);
const count = z.int().min(0).catch(0);
const text = (most: number) =>
  z
    .string()
    .transform((long) => long.slice(0, most))
    .optional()
    .catch(undefined);

const pretrain = z.object({
  epoch: z.number().min(0),
  step: z.int().min(0),
  totalSteps: count,
  loss: figure,
  outputStd: figure,
  effectiveRank: figure,
  knnTop1: figure,
  samplesPerSecond: figure,
  checkpoint: text(256),
});

const linear = z.object({ epoch: z.number().min(0), top1: figure, top5: figure, checkpoint: text(256) });

const progress = z.object({
  stage: z.enum(['pretrain', 'linear']),
  phase: z.enum(['Starting', 'Pretraining', 'Baselines', 'LinearEvaluation', 'Finished']),
  detail: text(256),
  generation: count,
  updatedAt: z.string().max(64).catch(''),
  pretrain: pretrain.optional().catch(undefined),
  linear: linear.optional().catch(undefined),
  collapse: text(1024),
  restarts: z.object({ peerLost: count, hang: count, failed: count }).catch({ peerLost: 0, hang: 0, failed: 0 }),
  lostSteps: count,
});

const message = z.object({ code: text(64), message: text(4096), progress: progress.optional().catch(undefined) });

/** What a worker answers to `GET /progress`; undefined if it isn't that. */
export function parseProgress(value: unknown): Progress | undefined {
  return progress.safeParse(value).data as Progress | undefined;
}

/**
 * A termination message. One that isn't the launcher's is the end of a container's log: then its last line is what is known.
 */
export function parseTerminationMessage(written: string | undefined): TerminationMessage {
  const trimmed = written?.trim() ?? '';
  if (trimmed === '') return {};
  const parsed = message.safeParse(jsonOf(trimmed)).data;
  if (parsed !== undefined) return parsed as TerminationMessage;
  return { message: trimmed.split('\n').at(-1)!.slice(0, 512) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
