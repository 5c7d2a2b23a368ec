import type { CheckpointSubject } from './checkpoint-benchmark.ts';
import type { CheckpointFigures } from './checkpoint-side.ts';
import { machineLines, type BenchMachine } from './machine.ts';
import { median, quantile } from './statistics.ts';

/** Steps between two checkpoints. */
const INTERVAL = 20;

/** docs/performance-checkpoint.md from a run of the benchmark. */
export function checkpointReport(
  machine: BenchMachine,
  { batch, imageSize, threads }: CheckpointSubject,
  { steps, checkpoints, waits }: CheckpointFigures,
): string {
  const row = (name: string, costs: CheckpointFigures['steps']): string =>
    `| ${name} | ${median(costs.map(({ cpu }) => cpu)).toFixed(0)} | ${median(costs.map(({ wall }) => wall)).toFixed(0)} |`;
  const step = median(steps.map(({ cpu }) => cpu));
  const shares = checkpoints.map(({ cpu }) => (100 * cpu) / (INTERVAL * step));
  const [low, high] = [quantile(shares, 0.25), quantile(shares, 0.75)];
  return `# Performance: checkpoints

Written by \`npm run bench -- checkpoint\`; the same figures are in [performance-checkpoint.json](performance-checkpoint.json).

ResNet-50, ${batch} × ${imageSize} px, fp32, ${threads} threads; the store is versitygw, a real S3 server on this machine. A checkpoint is
what a run does for one: the ranks' digest, reading weights and momenta, their bytes in PyTorch's layout, SHA-256, the upload,
the swap of the register, the removal of the one that is no longer kept. It is measured alone, without the server's own time. On
a CPU that computes steps the CPU time of a checkpoint is what the steps lose, whether they wait for it or go on beside it;
beside a GPU only the wait counts.

${machineLines(machine)}

| | CPU time, ms | time, ms |
| --- | --- | --- |
${row('a step', steps)}
${row('a checkpoint', checkpoints)}
${row('of it the next step waits for', waits)}

With a checkpoint every ${INTERVAL} steps that is **${median(shares).toFixed(1)} %** of the steps' CPU time (quartiles ${low.toFixed(1)}–${high.toFixed(1)}, ${shares.length} rounds).
`;
}
