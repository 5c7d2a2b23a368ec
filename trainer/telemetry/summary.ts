import type { RunResult, Scores } from '../../api/run-result.ts';
import { formatDuration, formatFigure, formatPercent } from './format.ts';
import { linearKind, linearName } from './linear-name.ts';

/** What the run reached, beside what costs no pre-training, and whether it may be believed. Ends with a line break. */
export function summaryOf(result: RunResult): string {
  const { pretrain, baselines } = result;
  const lines = baselines || pretrain.knnTop1 !== undefined || result.linear ? [...table(result), ''] : [];
  lines.push(...stdVerdict(pretrain));
  if (pretrain.effectiveRank !== undefined)
    lines.push(`effective rank ${formatFigure(pretrain.effectiveRank)}${limitOf(pretrain)}`);
  if (baselines) lines.push(comparison(result, baselines));
  lines.push(`${formatDuration(result.durationSeconds)} on ${result.ranks} rank${result.ranks === 1 ? '' : 's'}`);
  return `${lines.join('\n')}\n`;
}

type Row = readonly [name: string, scores: Scores];

function rowsOf({ pretrain, linear, baselines }: RunResult): Row[] {
  const reached: Scores = {
    ...(pretrain.knnTop1 !== undefined && { knnTop1: pretrain.knnTop1 }),
    ...(linear && { linearTop1: linear.top1 }),
  };
  const epochs = `${pretrain.epochs} epoch${pretrain.epochs === 1 ? '' : 's'}`;
  return [
    ...(baselines
      ? ([
          ['raw pixels', baselines.rawPixels],
          ['untrained backbone', baselines.untrained],
        ] as const)
      : []),
    [pretrain.epochs === 0 ? 'given backbone' : `SimSiam, ${epochs}`, reached],
  ];
}

function table(result: RunResult): string[] {
  const cell = (percent: number | undefined): string => (percent === undefined ? '-' : formatPercent(percent));
  const cells = [
    ['', 'kNN top-1', linearName(result.linear ?? {})],
    ...rowsOf(result).map(([name, { knnTop1, linearTop1 }]) => [name, cell(knnTop1), cell(linearTop1)]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map(([name, knn, linear]) =>
    [name!.padEnd(widths[0]!), knn!.padStart(widths[1]!), linear!.padStart(widths[2]!)].join('   '),
  );
}

function stdVerdict({ outputStd, healthyStd, collapse }: RunResult['pretrain']): string[] {
  if (outputStd === undefined) return [];
  const verdict = {
    none: 'healthy',
    complete: 'COLLAPSED: all images get nearly the same output',
    dimensional: 'COLLAPSED to a few dimensions: see the effective rank',
  }[collapse ?? 'none'];
  return [`output std ${formatFigure(outputStd)}, 1/√d ${formatFigure(healthyStd)}: ${verdict}`];
}

function limitOf({ effectiveRankLimit, effectiveRankSamples }: RunResult['pretrain']): string {
  if (effectiveRankLimit === undefined) return '';
  return ` of ${effectiveRankLimit}${effectiveRankSamples === undefined ? '' : ` (${effectiveRankSamples} samples)`}`;
}

/** Says where pre-training is worth something, and as plainly where it is not. */
function comparison(
  { pretrain, linear }: RunResult,
  { rawPixels, untrained }: Required<RunResult>['baselines'],
): string {
  const verdict = (name: string, reached: number | undefined, bars: (number | undefined)[]): string[] => {
    const known = bars.filter((bar) => bar !== undefined);
    if (reached === undefined || known.length === 0) return [];
    const margin = reached - Math.max(...known);
    return [
      margin > 0
        ? `${name} is ${margin.toFixed(1)} points above the better baseline`
        : `${name} is NOT above the better baseline (${margin.toFixed(1)} points)`,
    ];
  };
  return [
    ...verdict('kNN', pretrain.knnTop1, [rawPixels.knnTop1, untrained.knnTop1]),
    ...verdict(linearKind(linear ?? {}), linear?.top1, [rawPixels.linearTop1, untrained.linearTop1]),
  ].join('; ');
}
