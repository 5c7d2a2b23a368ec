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
 * which it is near when healthy. Where `columns` are too few it is a shorter one, the most wanted first.
 */
export function stageLine(stage: StageProgress, dim: number, columns = Infinity): string {
  const { name, latest, figures, etaSeconds } = stage;
  const progress = `${latest.epoch + 1}/${latest.epochs}`;
  const healthy = formatFigure(1 / Math.sqrt(dim));
  const eta = etaSeconds === undefined ? [] : [`ETA ${formatDuration(etaSeconds)}`];
  const scores = [
    ...show('rank', figures.effectiveRank, formatFigure),
    ...show('kNN', figures.knnTop1, formatPercent),
    ...show('top-1', figures.top1, formatPercent),
    ...show('top-5', figures.top5, formatPercent),
  ];
  const long = [
    `${name} ${bar(latest.step / latest.totalSteps)} epoch ${progress}`,
    `loss ${latest.loss.toFixed(4)}`,
    ...show('std', figures.outputStd, (std) => `${formatFigure(std)} (1/√d ${healthy})`),
    ...scores,
    `${formatFigure(latest.samplesPerSecond)} samples/s`,
    ...eta,
  ].join(separator);
  if (long.length <= columns) return long;
  return [
    `${name} ${progress}`,
    ...eta,
    `loss ${latest.loss.toFixed(3)}`,
    ...show('std', figures.outputStd, (std) => `${formatFigure(std)}/${healthy}`),
    ...scores,
    `${formatFigure(latest.samplesPerSecond)}/s`,
  ].join(' ');
}

function show(name: string, value: number | undefined, format: (value: number) => string): string[] {
  return value === undefined ? [] : [`${name} ${format(value)}`];
}

function bar(fraction: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
  return '█'.repeat(filled) + '░'.repeat(barWidth - filled);
}
