import { machineLines, type BenchMachine } from './machine.ts';
import type { StepResult } from './step-benchmark.ts';

export interface Performance {
  readonly machine: BenchMachine;
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

${machineLines(machine)}
- ${steps[0]?.threads} threads and ${steps[0]?.rounds} rounds a side

| step | ours, samples/s | PyTorch, samples/s | ratio (quartiles) | ours, ms | PyTorch, ms (contiguous / channels last) | compared with |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
