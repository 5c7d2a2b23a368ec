import { processorName } from './machine-results.ts';
import { machineLines, type BenchMachine, type Precision } from './machine.ts';

/** Milliseconds of one step on one thread, by part. */
export type Parts = Readonly<Record<Part, number>>;

export interface Profile {
  readonly name: string;
  /** PyTorch's. */
  readonly peers: Precision;
  readonly ours: Parts;
  readonly pytorch: Parts;
}

const parts = [
  'convolution, forward',
  'convolution, gradient of the input',
  'convolution, gradient of the weights',
  'convolution, all of 3×3 by Winograd',
  'matrix product',
  'batch norm and ReLU by our kernels',
  'SGD by our kernel',
  'other kernels of oneDNN',
  'changes of layout',
  'everything else',
  'the step',
] as const;
type Part = (typeof parts)[number];

/**
 * What the kernels of a step took.
 * @param lines oneDNN's, with ONEDNN_VERBOSE=1: comma-separated, `primitive,exec`, the kind and the direction of a kernel in
 *   fields 6 and 8, its milliseconds last; and our kernels', with SIMSIAM_KERNEL_TIMES=1: `simsiam_kernel,exec`, the node,
 *   milliseconds
 * @param step milliseconds of the whole step
 */
export function sumKernels(lines: readonly string[], step: number): Parts {
  const sums = Object.fromEntries(parts.map((part) => [part, 0])) as Record<Part, number>;
  for (const line of lines) {
    const [teller, ...fields] = line.split(',');
    const at = fields.indexOf('exec');
    const milliseconds = Number(fields.at(-1));
    if (at < 0 || !Number.isFinite(milliseconds)) continue;
    if (teller === 'onednn_verbose') sums[partOf(fields[at + 2]!, fields[at + 4]!)] += milliseconds;
    if (teller === 'simsiam_kernel') sums[ownPartOf(fields[at + 1]!)] += milliseconds;
  }
  const known = Object.values(sums).reduce((a, b) => a + b);
  return { ...sums, 'everything else': step - known, 'the step': step };
}

/** @param node name of the op in its graph, which begins with its kind */
function ownPartOf(node: string): Part {
  if (node.startsWith('SimsiamWinograd')) return 'convolution, all of 3×3 by Winograd';
  if (node.startsWith('SimsiamFilterGrad')) return 'convolution, gradient of the weights';
  return node.startsWith('SimsiamSgd') ? 'SGD by our kernel' : 'batch norm and ReLU by our kernels';
}

function partOf(kind: string, direction: string): Part {
  if (kind === 'reorder') return 'changes of layout';
  if (kind === 'matmul' || kind === 'inner_product') return 'matrix product';
  if (kind !== 'convolution') return 'other kernels of oneDNN';
  if (direction === 'backward_data') return 'convolution, gradient of the input';
  return direction === 'backward_weights' ? 'convolution, gradient of the weights' : 'convolution, forward';
}

export interface MachineProfiles {
  readonly machine: BenchMachine;
  readonly profiles: readonly Profile[];
}

/** docs/performance-profile.md from the last run of the benchmark on each machine. */
export function profileReport(machines: readonly MachineProfiles[]): string {
  return `# Performance: where a step's time goes

Written by \`npm run bench -- profile\`; the same figures are in [performance-profile.json](performance-profile.json). A processor's
figures stay until the benchmark runs on such a one again.

One step on one thread, so that kernels run one after the other, by what oneDNN tells of each of its kernels
(\`ONEDNN_VERBOSE=1\`), with which both sides compute, and by what ours tell (\`SIMSIAM_KERNEL_TIMES=1\`). PyTorch is eager,
channels last, and its bf16 autocast's. _Everything else_ is what none of these is: padding, the loss, memory, each framework's
own work, and PyTorch's batch norm, ReLU, sums and SGD.

oneDNN's convolutions are the same kernels on both sides, made for the processor as the program runs and near its peak
([performance.md](performance.md)); where they are most of a step, nothing that multiplies as often can be much faster.
3×3 convolutions of stride 1 are ours, by a method that multiplies less often, as is the gradient of the weights of those of stride 2
([ADR 0018](adr/0018-winograds-method-on-cpus.md)). The rest is how often a framework passes over memory for what is between
convolutions ([ADR 0017](adr/0017-kernels-of-our-own-on-cpus.md)), and how often it changes layouts. What is left of a step is mostly
convolutions of 1×1 and of stride 2, which oneDNN computes for both sides; in a ResNet-50, whose activations no cache holds, batch
norm's passes over memory come next.

${machines.map(section).join('\n\n')}
`;
}

function section({ machine, profiles }: MachineProfiles): string {
  const share = (of: Parts, part: Part): string => `${((100 * of[part]) / of['the step']).toFixed(0)} %`;
  const tables = profiles.map(({ name, peers, ours, pytorch }) => {
    const rows = parts.map((part) => {
      const cells = [part, ours[part].toFixed(0), share(ours, part), pytorch[part].toFixed(0), share(pytorch, part)];
      return `| ${cells.join(' | ')} |`;
    });
    return `### ${name}

| part | ours, ms | of the step | PyTorch in ${peers}, ms | of the step |
| --- | --- | --- | --- | --- |
${rows.join('\n')}`;
  });
  return `## ${processorName(machine)}

${machineLines(machine)}

${tables.join('\n\n')}`;
}
