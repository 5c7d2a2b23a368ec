import { formatDuration, formatFigure, formatPercent } from './format.ts';
import type { ProgressState, StageProgress } from './progress-state.ts';

const separator = ' · ';
const barWidth = 20;

/** `resumed at step 12`: what a phase without steps shows. */
export function phaseLine({ phase, detail }: ProgressState): string {
  const names = {
    Starting: 'starting',
    Pretraining: 'pre-training',
    Baselines: 'measuring the baselines',
    LinearEvaluation: 'linear evaluation',
    Finished: 'finished',
  } as const;
  return detail === undefined ? names[phase] : `${names[phase]}: ${detail}`;
}

/**
 * The live line of a stage. `dim` is the size of the projector's output: the standard deviation is shown beside 1/√dim,
 * which it is near when healthy.
 */
export function stageLine({ name, latest, figures, etaSeconds }: StageProgress, dim: number): string {
  const parts = [
    `${name} ${bar(latest.step / latest.totalSteps)} epoch ${latest.epoch + 1}/${latest.epochs}`,
    `loss ${latest.loss.toFixed(4)}`,
  ];
  if (figures.outputStd !== undefined)
    parts.push(`std ${formatFigure(figures.outputStd)} (1/√d ${formatFigure(1 / Math.sqrt(dim))})`);
  if (figures.effectiveRank !== undefined) parts.push(`rank ${formatFigure(figures.effectiveRank)}`);
  if (figures.knnTop1 !== undefined) parts.push(`kNN ${formatPercent(figures.knnTop1)}`);
  if (figures.top1 !== undefined) parts.push(`top-1 ${formatPercent(figures.top1)}`);
  if (figures.top5 !== undefined) parts.push(`top-5 ${formatPercent(figures.top5)}`);
  parts.push(`${formatFigure(latest.samplesPerSecond)} samples/s`);
  if (etaSeconds !== undefined) parts.push(`ETA ${formatDuration(etaSeconds)}`);
  return parts.join(separator);
}

function bar(fraction: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
  return '█'.repeat(filled) + '░'.repeat(barWidth - filled);
}
