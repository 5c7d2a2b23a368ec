import { fileURLToPath } from 'node:url';
import type { Architecture } from '../api/pretrain.ts';
import { Contestant } from './contestant.ts';
import { pytorchScript } from './pytorch-environment.ts';
import { median, speedRatio, type Ratio } from './statistics.ts';

/** A step to time: SimSiam on a ResNet of full width with the ImageNet stem, two views of square images. */
export interface StepCase {
  readonly arch: Architecture;
  readonly batch: number;
  /** Side of a view in pixels. */
  readonly imageSize: number;
}

export interface StepOptions {
  /** Compute threads of either side. */
  readonly threads: number;
  readonly rounds: number;
  /** Steps of each side in a round. */
  readonly steps: number;
  /** Python of the environment with PyTorch. */
  readonly python: string;
}

export const layouts = ['contiguous', 'channels_last'] as const;

export interface StepResult extends StepCase {
  readonly threads: number;
  readonly rounds: number;
  /** Medians over all rounds. */
  readonly milliseconds: { readonly simsiam: number; readonly pytorch: Record<(typeof layouts)[number], number> };
  readonly samplesPerSecond: { readonly simsiam: number; readonly pytorch: number };
  /** The layout of PyTorch that was the faster one, and how many times as fast as it we are. */
  readonly against: (typeof layouts)[number];
  readonly ratio: Ratio;
}

/** Steps before the first round: traces, memory pools and kernel choices settle in them. */
const WARM_UP = 3;

/** Runs all sides in turns, round by round, in one go on this machine. */
export async function benchmarkStep(step: StepCase, options: StepOptions): Promise<StepResult> {
  const { threads, rounds, steps, python } = options;
  const args = [step.arch, step.batch, step.imageSize, threads].map(String);
  const ours = new Contestant('the trainer', {
    command: process.execPath,
    args: [fileURLToPath(new URL('step.js', import.meta.url)), ...args],
    env: { TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: String(threads) },
  });
  const theirs = layouts.map(
    (layout) =>
      new Contestant(`PyTorch (${layout})`, {
        command: python,
        args: [pytorchScript('step'), ...args, layout, 'fp32', 'cpu', 'eager'],
      }),
  );
  const all = [ours, ...theirs];
  try {
    for (const contestant of all) await contestant.run(WARM_UP);
    const medians: number[][] = all.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, contestant] of all.entries()) medians[i]!.push(median(await contestant.run(steps)));
    }
    return resultOf(step, options, medians as [number[], number[], number[]]);
  } finally {
    for (const contestant of all) contestant.close();
  }
}

function resultOf(
  step: StepCase,
  { threads, rounds }: StepOptions,
  [ours, contiguous, channelsLast]: [number[], number[], number[]],
): StepResult {
  const milliseconds = {
    simsiam: median(ours),
    pytorch: { contiguous: median(contiguous), channels_last: median(channelsLast) },
  };
  const against =
    milliseconds.pytorch.contiguous <= milliseconds.pytorch.channels_last ? 'contiguous' : 'channels_last';
  const perSecond = (duration: number): number => (step.batch * 1000) / duration;
  return {
    ...step,
    threads,
    rounds,
    milliseconds,
    samplesPerSecond: {
      simsiam: perSecond(milliseconds.simsiam),
      pytorch: perSecond(milliseconds.pytorch[against]),
    },
    against,
    ratio: speedRatio(ours, against === 'contiguous' ? contiguous : channelsLast),
  };
}
