import type { GrowthFigures } from './growth-side.ts';
import { machineLines, type BenchMachine } from './machine.ts';

const FLOAT = 4;

/** docs/performance-growth.md from a run of the benchmark. */
export function growthReport(machine: BenchMachine, { batches, ranks, trainable, normLayers }: GrowthFigures): string {
  const largest = batches.at(-1)!;
  const perImage = ({ batch, milliseconds }: { batch: number; milliseconds: number }): number => milliseconds / batch;
  const batchRows = batches.map(
    (one) =>
      `| ${one.batch} | ${one.milliseconds.toFixed(0)} | ${perImage(one).toFixed(2)} | ` +
      `${(perImage(one) / perImage(largest)).toFixed(2)} |`,
  );
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const rankRows = ranks.map(({ ranks: world, collectives, bytes }) => {
    const ring = ((2 * (world - 1)) / world) * trainable * FLOAT;
    const own = bytes / world;
    const cells = [world, collectives, megabytes(own), megabytes(ring), ring === 0 ? '–' : (own / ring).toFixed(3)];
    return `| ${cells.join(' | ')} |`;
  });
  return `# Performance: growth

Written by \`npm run bench -- growth\`; the same figures are in [performance-growth.json](performance-growth.json).

ResNet-18 with SimSiam's heads (${(trainable / 1e6).toFixed(1)} million weights with gradients, ${normLayers} batch norms), fp32.

${machineLines(machine)}

## Over the batch

CPU time of a step at 64 px on one thread. What doesn't grow with the batch is the work on the weights: transposing
gradients, SGD.

| batch | ms a step | ms an image | of that at ${largest.batch} |
| --- | --- | --- | --- |
${batchRows.join('\n')}

## Over ranks

Counted, not timed: the ranks of this machine share its cores. Collectives are those of the traced step. Bytes are what
the loopback interface of a network namespace carried in four steps, a step and rank, headers included; a ring sends
2·(N−1)/N times the gradients. What lies above it is batch norm's statistics over the ranks, the step's figures and headers.

| ranks | collectives a step | MB sent a rank | 2·(N−1)/N · weights, MB | ratio |
| --- | --- | --- | --- | --- |
${rankRows.join('\n')}
`;
}
