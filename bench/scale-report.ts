import type { ClusterFigures, StepEstimate, StepTraffic } from '../trainer/estimate/step-model.ts';
import { estimateStep } from '../trainer/estimate/step-model.ts';

const sizes = [8, 64, 512, 4096] as const;
/** The largest batch that the paper trains with (table 2, with 64.0 % instead of 68.1 %). */
const LARGEST_BATCH = 4096;

const traits = (title: string, estimates: readonly StepEstimate[]): string => `## ${title}

| GPUs | images a GPU | compute, ms | batch norm messages, ms | gradients not hidden, ms | step, ms | efficiency | data read | largest cost of scale |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${estimates.map(row).join('\n')}
`;

function row(estimate: StepEstimate): string {
  const ms = (seconds: number): string => (seconds * 1000).toFixed(2);
  const cells = [
    estimate.gpus.toLocaleString('en'),
    estimate.batchPerGpu,
    ...[estimate.compute, estimate.norm, estimate.gradients, estimate.step].map(ms),
    `${(estimate.efficiency * 100).toFixed(0)} %`,
    `${(estimate.readBandwidth / 1e9).toFixed(2)} GB/s`,
    estimate.largestCost,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** docs/scale.md: the model's estimates for growing clusters, with what they rest on. */
export function scaleReport(traffic: StepTraffic, figures: ClusterFigures): string {
  const fixed = sizes.map((gpus) => estimateStep(gpus, 256, traffic, figures));
  const shared = sizes.map((gpus) => estimateStep(gpus, LARGEST_BATCH / gpus, traffic, figures));
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const { latency } = figures;
  return `# Scale

Written by \`npm run bench -- scale\`. A model, not a measurement: no run of more than one GPU has been made. It says where
the first limit lies at each size, and \`simsiam submit --dry-run\` takes what a run will cost
from it. ResNet-50 with the default recipe, bf16, one rank a GPU, ${figures.gpusPerNode} GPUs a node.

${traits('256 images on each GPU', fixed)}
What it says: the step loses little to scale. But the method can't use such batches: the paper trains with ${LARGEST_BATCH.toLocaleString('en')}
images at most, and loses 4 points there against 256.

${traits(`A batch of ${LARGEST_BATCH.toLocaleString('en')} shared by all`, shared)}
What it says: with the batch that the method allows, messages of batch norm come to cost more than computing before
anything else does. They are sent one after the other, for the next layer needs their answer, so that their number times
the latency is what counts, not their bytes. The design sends both views' statistics in one message, forward and
backward; nothing else can leave that chain without changing the method's statistics.

## What the rows are made of

Counted from the network:

- gradients: ${megabytes(traffic.gradientBytes)} in float32, in buckets that travel while the backward pass runs; a step's bytes on
  each link are 2·(N−1)/N times that, whatever N
- ${2 * traffic.normLayers} messages of batch norm (${traffic.normLayers} layers, forward and backward, both views together), ${megabytes(traffic.normBytes)} in all
- a checkpoint: ${megabytes(traffic.checkpointBytes)}, written by rank 0 in the background; ${(traffic.checkpointBytes / figures.storeBandwidth).toFixed(1)} s over one connection of ${figures.storeBandwidth / 1e6} MB/s,
  whatever the number of GPUs

Measured: ${(figures.secondsPerImage * 1e6).toFixed(0)} µs an image on one H200 in bf16 at a batch of 256 ([gpu.md](gpu.md)), taken as proportional to
the batch. That is a lower bound for few images a GPU, which leave the card partly idle. A third of it is the forward pass.

Published:

- latency of an all-reduce: NCCL's own tuning model of its tree with the low-latency protocol (\`src/graph/tuning.cc\`
  of NCCL 2.30, the tables \`baseLatencies\` and \`hwLatencies\` and the sum for \`NCCL_ALGO_TREE\`):
  ${latency.base * 1e6} µs, and twice ${latency.intra * 1e6} µs a hop over NVLink and ${latency.inter * 1e6} µs a level between nodes
- ${figures.nodeBandwidth / 1e9} GB/s and direction over NVLink (H100 and H200 SXM), ${figures.networkBandwidth / 1e9} GB/s over a 400 Gb/s network port a GPU
- ${figures.bytesPerImage / 1e3} kB an image: ImageNet's 138 GB over 1,281,167 images

Left out: slow ranks, loading (each GPU wants ${(1 / figures.secondsPerImage).toFixed(0)} decoded images a second from its host's cores), evaluation, and
restarts.
`;
}
