import { clusterRanks } from '../../api/ranks.ts';
import type { Snapshot } from './snapshot.ts';

/** The newest figures of a run: those of worker 0 where it is reached, else those of the run's status. */
export interface Figures {
  readonly epoch?: number | undefined;
  readonly step?: number | undefined;
  readonly totalSteps?: number | undefined;
  readonly loss?: number | undefined;
  readonly outputStd?: number | undefined;
  readonly effectiveRank?: number | undefined;
  readonly knnTop1?: number | undefined;
  readonly samplesPerSecond?: number | undefined;
  readonly checkpoint?: string | undefined;
}

export interface LinearFigures {
  readonly epoch?: number | undefined;
  readonly top1?: number | undefined;
  readonly top5?: number | undefined;
  readonly checkpoint?: string | undefined;
}

type Source = Pick<Snapshot, 'run'> & Partial<Pick<Snapshot, 'progress'>>;

export function pretrainFigures({ run, progress }: Source): Figures {
  return { ...run.status?.pretrain, ...progress?.pretrain };
}

export function linearFigures({ run, progress }: Source): LinearFigures {
  return { ...run.status?.linear, ...progress?.linear };
}

/** Seconds of pre-training that are left at the present pace, without evaluations and checkpoints. */
export function secondsLeft({ run, progress }: Source): number | undefined {
  const now = progress?.pretrain;
  if (now === undefined || now.samplesPerSecond === undefined || now.samplesPerSecond <= 0) return undefined;
  return ((now.totalSteps - now.step) * run.spec.pretrain.batchSize) / now.samplesPerSecond;
}

/** GPUs of all workers together. */
export function gpusOf({ run: { spec } }: Source): number {
  return spec.gpusPerWorker === 0 ? 0 : clusterRanks(spec);
}
