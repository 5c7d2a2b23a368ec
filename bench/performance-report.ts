import { processorName } from './machine-results.ts';
import { machineLines, type BenchMachine } from './machine.ts';
import { formatRatio } from './statistics.ts';
import { ways, type StepResult, type Way } from './step-benchmark.ts';

export interface Performance {
  readonly machine: BenchMachine;
  readonly steps: readonly StepResult[];
}

/** docs/performance.md from the last run of the benchmark on each machine. */
export function performanceReport(machines: readonly Performance[]): string {
  return `# Performance

Written by \`npm run bench -- step\`; the same figures are in [performance.json](performance.json). A processor's figures stay
until the benchmark runs on such a one again.

One step of pre-training: both views forward and backward, SGD, loss on the host; random images, one process. Our views come
in as bytes and are normalised in the step; PyTorch's are ready floats, and its bf16 is autocast's. The sides take turns, round
by round, in one run; a figure is the median over the rounds, and the quartiles are those of the rounds' ratios. CPU time is
that of all threads. PyTorch runs in the fastest of four ways, which a pilot has found. Where a
processor doesn't multiply bfloat16 itself, PyTorch imitates it and takes longer than in float32; there our bf16 is beside PyTorch's
fp32.

The peak is the fastest matrix product or convolution of several that TensorFlow's library was found to do here
(\`bench/peak.ts\`), measured in the same rounds. A step's operations are those of convolutions and matrix products, forward
and twice as many backward, as often as their definition multiplies: Winograd's method, by which ours computes most 3×3
convolutions, multiplies less often, so that the share may pass 1. Memory is the most that was resident at once, the program and its libraries
included. Since 28 November 2026 ours keeps of a batch norm what goes in, and computes what comes out anew for the gradient of the
next convolution, but for those that a skip was added to; so does PyTorch's compiled step. Its eager step keeps both, as ours did
before.

What bounds a step is in [performance-profile.md](performance-profile.md).

${machines.map(section).join('\n\n')}
`;
}

function section({ machine, steps }: Performance): string {
  const speed = steps.map(({ samplesPerSecond, milliseconds, cpuMilliseconds, ratio, against, ...step }) => [
    nameOf(step),
    samplesPerSecond.simsiam.toFixed(1),
    samplesPerSecond.pytorch.toFixed(1),
    `${formatRatio(ratio)}×`,
    `${milliseconds.simsiam.toFixed(0)} / ${milliseconds.pytorch.toFixed(0)}`,
    `${cpuMilliseconds.simsiam.toFixed(0)} / ${cpuMilliseconds.pytorch.toFixed(0)}`,
    `${wayName(against)}, ${step.peers}`,
  ]);
  const pilots = steps.map((step) => [nameOf(step), ...ways.map((way) => step.pilot[way].toFixed(0))]);
  const resources = steps.map(({ gigaflops, share, peakMemory, ...step }) => [
    nameOf(step),
    gigaflops.step.toFixed(0),
    gigaflops.peak.toFixed(0),
    formatRatio(share),
    peakMemory.simsiam.toFixed(0),
    peakMemory.pytorch.toFixed(0),
    (peakMemory.simsiam / peakMemory.pytorch).toFixed(2),
  ]);
  return `## ${processorName(machine)}

${machineLines(machine)}
- ${steps[0]?.threads} threads and ${steps[0]?.rounds} rounds a side

${table(['step', 'ours, samples/s', 'PyTorch, samples/s', 'ratio (quartiles)', 'ours / PyTorch, ms', 'CPU time: ours / PyTorch, ms', 'compared with'], speed)}

The pilot, ms a step of PyTorch:

${table(['step', ...ways.map(wayName)], pilots)}

Share of the machine's peak, and memory:

${table(['step', 'ours, GFLOP/s', 'peak, GFLOP/s', 'share (quartiles)', 'ours, MiB', 'PyTorch, MiB', 'ratio'], resources)}`;
}

function nameOf({
  arch,
  batch,
  imageSize,
  precision,
}: Pick<StepResult, 'arch' | 'batch' | 'imageSize' | 'precision'>): string {
  return `${arch}, ${batch} × ${imageSize} px, ${precision}`;
}

function wayName(way: Way): string {
  return way.replace('_', ' ').replace(' compile', ', compiled').replace(' eager', ', eager');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
