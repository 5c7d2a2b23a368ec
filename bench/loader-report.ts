import type { LoaderResult } from './loader-benchmark.ts';
import { machineLines, type BenchMachine } from './machine.ts';
import { formatRatio } from './statistics.ts';

/** docs/performance-loader.md from a run of the benchmark. */
export function loaderReport(machine: BenchMachine, results: readonly LoaderResult[]): string {
  const rows = results.map(({ width, height, bytes, imageSize, imagesPerCpuSecond: rate, ratio }) => {
    const cells = [
      `${width} × ${height}, ${(bytes / 1000).toFixed(1)} kB → ${imageSize} px`,
      ...[rate.simsiam, rate.pil, rate.tensor].map((value) => value.toFixed(0)),
      formatRatio(ratio.pil, '×'),
      formatRatio(ratio.tensor, '×'),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `# Performance: the loader

Written by \`npm run bench -- loader\`; the same figures are in [performance-loader.json](performance-loader.json).

JPEG files to two views each by MoCo v2's augmentation, in images a second of CPU time: what one core does, and the same
whatever else the machine does. Ours is the loader of a training run on one thread, its main thread's time included. torchvision
runs its two pipelines in one process each without workers, so that it spends nothing on passing images on; both decode
once for both views and end with bytes (\`bench/pytorch/loader.py\`). The files are windows of two photographs. The sides
take turns over the same files (rounds: ${results[0]?.rounds}); a figure is the median over the rounds, and the quartiles are
those of the rounds' ratios.

${machineLines(machine)}

| files | ours | torchvision, PIL | torchvision, tensors | ratio to PIL (quartiles) | ratio to tensors (quartiles) |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
