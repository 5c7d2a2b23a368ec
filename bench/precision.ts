import type { RunResult } from '../api/run-result.ts';
import { quickstart, runQuickstart } from './quickstart-run.ts';
import { mean } from './statistics.ts';

const precisions = ['fp32', 'bf16'] as const;

/** What pre-training on the digits ends with, in a precision. */
export interface PrecisionResult {
  readonly precision: (typeof precisions)[number];
  /** kNN top-1 in percent, one a seed. */
  readonly knnTop1: readonly number[];
  readonly effectiveRank: readonly number[];
  readonly outputStd: readonly number[];
}

/**
 * Trains the quickstart's recipe without its linear evaluation, in each precision and from each seed. What is interrupted
 * goes on where it was, and finished runs are taken as they are: delete runs/precision to measure anew.
 */
export async function comparePrecisions(options: {
  readonly seeds: readonly number[];
  readonly epochs: number;
}): Promise<PrecisionResult[]> {
  const results: PrecisionResult[] = [];
  for (const precision of precisions) {
    const runs: RunResult['pretrain'][] = [];
    for (const seed of options.seeds) runs.push(await train({ precision, seed, epochs: options.epochs }));
    results.push({
      precision,
      knnTop1: runs.flatMap(({ knnTop1 }) => knnTop1 ?? []),
      effectiveRank: runs.flatMap(({ effectiveRank }) => effectiveRank ?? []),
      outputStd: runs.flatMap(({ outputStd }) => outputStd ?? []),
    });
  }
  return results;
}

async function train(changes: {
  precision: 'fp32' | 'bf16';
  seed: number;
  epochs: number;
}): Promise<RunResult['pretrain']> {
  const uri = `runs/precision/${changes.precision}-${changes.seed}`;
  const result = await runQuickstart(uri, ({ pretrain }) => ({
    pretrain: { ...pretrain, ...changes, knn: { ...pretrain.knn, everyEpochs: changes.epochs } },
    linear: { epochs: 0 },
  }));
  return result.pretrain;
}

/** The document that the results make. */
export function precisionReport(results: readonly PrecisionResult[], epochs: number): string {
  const cell = (values: readonly number[], digits: number): string =>
    `${mean(values).toFixed(digits)} (${values.map((value) => value.toFixed(digits)).join(', ')})`;
  const rows = results.map(
    ({ precision, knnTop1, effectiveRank, outputStd }) =>
      `| ${precision} | ${cell(knnTop1, 1)} | ${cell(effectiveRank, 1)} | ${cell(outputStd, 4)} |`,
  );
  const seeds = results[0]?.knnTop1.length ?? 0;
  const apart = range(results.map(({ knnTop1 }) => mean(knnTop1)));
  const ofSeeds = Math.max(...results.map(({ knnTop1 }) => range(knnTop1)));
  return [
    '<!-- Written by `npm run bench -- precision`. Do not edit. -->',
    '',
    '# bf16 beside fp32',
    '',
    `The recipe of \`${quickstart}\` for ${epochs} epochs, in both precisions: the mean over ${seeds} seeds, and each seed's figure.`,
    '',
    '| precision | kNN top-1, % | effective rank | output std |',
    '| --------- | ------------ | -------------- | ---------- |',
    ...rows,
    '',
    `The kNN means are ${apart.toFixed(1)} points apart; seeds of one precision are up to ${ofSeeds.toFixed(1)} apart.`,
    '',
  ].join('\n');
}

const range = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
