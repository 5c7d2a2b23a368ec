import type { StepResult } from './step-benchmark.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly tensorflow: string;
  readonly pytorch: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  /** Load average of the minute before: above 0 means that other programs had a share. */
  readonly load: number;
}

export interface Performance {
  readonly machine: Machine;
  readonly steps: readonly StepResult[];
}

/** docs/performance.md from a run of the benchmark. */
export function performanceReport({ machine, steps }: Performance): string {
  const rows = steps.map(({ arch, batch, imageSize, samplesPerSecond, against, ratio, milliseconds }) => {
    const cells = [
      `${arch}, ${batch} × ${imageSize} px`,
      samplesPerSecond.simsiam.toFixed(1),
      samplesPerSecond.pytorch.toFixed(1),
      `${ratio.median.toFixed(2)}× (${ratio.quartiles.map((value) => value.toFixed(2)).join('–')})`,
      milliseconds.simsiam.toFixed(0),
      `${milliseconds.pytorch.contiguous.toFixed(0)} / ${milliseconds.pytorch.channels_last.toFixed(0)}`,
      against.replace('_', ' '),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `# Performance

Written by \`npm run bench -- step\`; the same figures are in [performance.json](performance.json).

One step of pre-training: both views forward and backward, SGD, loss on the host. fp32, random images, one process.
Our views come in as bytes and are normalised in the step; PyTorch's are ready floats. The sides take turns, round by
round, in one run; a figure is the median over the rounds, and the quartiles are those of the rounds' ratios. PyTorch runs eager,
in the faster of its two memory layouts.

- ${machine.cpu}, ${machine.cores} cores; ${steps[0]?.threads} threads and ${steps[0]?.rounds} rounds a side
- load average before: ${machine.load.toFixed(1)}
- Node.js ${machine.node}, TensorFlow ${machine.tensorflow}, PyTorch ${machine.pytorch}
- measured ${machine.measuredAt}

| step | ours, samples/s | PyTorch, samples/s | ratio (quartiles) | ours, ms | PyTorch, ms (contiguous / channels last) | compared with |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
