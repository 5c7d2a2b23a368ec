import { pretrainSchema, type Architecture } from '../api/pretrain.ts';
import { networkSize } from '../trainer/estimate/network-size.ts';
import { Contestant, ownProgram } from './contestant.ts';
import type { Precision } from './machine.ts';
import { pytorchScript } from './pytorch-environment.ts';
import { median, speedRatio, type Ratio } from './statistics.ts';

/** A step to time: SimSiam on a ResNet of full width with the ImageNet stem, two views of square images. */
export interface StepCase {
  readonly arch: Architecture;
  readonly batch: number;
  /** Side of a view in pixels. */
  readonly imageSize: number;
  readonly precision: Precision;
  /** That of PyTorch and of the fastest kernel. */
  readonly peers: Precision;
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

/** Memory layout and execution of PyTorch. */
export const ways = ['contiguous eager', 'channels_last eager', 'contiguous compile', 'channels_last compile'] as const;
export type Way = (typeof ways)[number];

interface Sides<T> {
  readonly simsiam: T;
  readonly pytorch: T;
}

export interface StepResult extends StepCase {
  readonly threads: number;
  readonly rounds: number;
  /** Milliseconds of a step of PyTorch in each way, measured before the rounds. */
  readonly pilot: Readonly<Record<Way, number>>;
  /** The fastest of them, against which the rounds go. */
  readonly against: Way;
  /** Medians over all rounds. */
  readonly milliseconds: Sides<number>;
  /** User and system time of a step. */
  readonly cpuMilliseconds: Sides<number>;
  readonly samplesPerSecond: Sides<number>;
  /** How many times as fast we are. */
  readonly ratio: Ratio;
  /** Most memory that was resident, MiB. */
  readonly peakMemory: Sides<number>;
  /** Billions of operations a second: of our step, and of the fastest kernel found. */
  readonly gigaflops: { readonly step: number; readonly peak: number };
  /** Of the peak that our step reaches. */
  readonly share: Ratio;
}

/** Steps before the first that counts: traces, compilation, memory pools and kernel choices settle in them. */
const WARM_UP = 3;

/** Finds PyTorch's fastest way, then runs both sides and the fastest kernel in turns, round by round. */
export async function benchmarkStep(step: StepCase, options: StepOptions): Promise<StepResult> {
  const { threads, rounds, steps } = options;
  const pilot = await pilotOf(step, options);
  const against = ways.reduce((best, way) => (pilot[way] < pilot[best] ? way : best));
  const { arch, batch, imageSize, precision, peers } = step;
  const ours = new Contestant(
    'the trainer',
    ownProgram('step.js', threads, [arch, batch, imageSize, threads, precision]),
  );
  const theirs = pytorchStep(step, options, against);
  const kernel = new Contestant('the kernel', ownProgram('peak.js', threads, [threads, peers]));
  const all = [ours, theirs, kernel];
  try {
    for (const contestant of all) await contestant.run(WARM_UP);
    const before = all.map((contestant) => contestant.figures().cpuMilliseconds);
    const medians: number[][] = all.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, contestant] of all.entries()) medians[i]!.push(median(await contestant.run(steps)));
    }
    const figures = all.map((contestant) => contestant.figures());
    const cpu = figures.map(({ cpuMilliseconds }, i) => (cpuMilliseconds - before[i]!) / (rounds * steps));
    const [own, pytorch, tera] = medians as [number[], number[], number[]];
    const milliseconds = { simsiam: median(own), pytorch: median(pytorch) };
    const operations = operationsOf(step);
    return {
      ...{ ...step, threads, rounds, pilot, against, milliseconds },
      cpuMilliseconds: { simsiam: cpu[0]!, pytorch: cpu[1]! },
      samplesPerSecond: {
        simsiam: (batch * 1000) / milliseconds.simsiam,
        pytorch: (batch * 1000) / milliseconds.pytorch,
      },
      ratio: speedRatio(own, pytorch),
      peakMemory: { simsiam: figures[0]!.peakMemory, pytorch: figures[1]!.peakMemory },
      gigaflops: { step: operations / milliseconds.simsiam / 1e6, peak: 1e6 / median(tera) },
      share: speedRatio(
        own,
        tera.map((milliseconds) => (milliseconds * operations) / 1e12),
      ),
    };
  } finally {
    for (const contestant of all) contestant.close();
  }
}

async function pilotOf(step: StepCase, options: StepOptions): Promise<Record<Way, number>> {
  const times: [Way, number][] = [];
  for (const way of ways) {
    const contestant = pytorchStep(step, options, way);
    try {
      await contestant.run(WARM_UP);
      times.push([way, median(await contestant.run(WARM_UP))]);
    } finally {
      contestant.close();
    }
  }
  return Object.fromEntries(times) as Record<Way, number>;
}

function pytorchStep(step: StepCase, { threads, python }: StepOptions, way: Way): Contestant {
  const { arch, batch, imageSize, peers } = step;
  const [layout, mode] = way.split(' ') as [string, string];
  const args = [arch, batch, imageSize, threads, layout, peers, 'cpu', mode].map(String);
  return new Contestant(`PyTorch (${way})`, { command: python, args: [pytorchScript('step'), ...args] });
}

/** Multiplications and additions of a step: forward, and twice as many backward, for two views. */
function operationsOf({ arch, batch, imageSize }: StepCase): number {
  const { multiplyAdds } = networkSize(pretrainSchema.parse({ arch, batchSize: batch, imageSize }));
  return 2 * 3 * 2 * batch * multiplyAdds;
}
