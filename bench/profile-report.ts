import { machineLines, type BenchMachine } from './machine.ts';

/** Milliseconds of one step on one thread, by part. */
export type Parts = Readonly<Record<Part, number>>;

export interface Profile {
  readonly name: string;
  readonly ours: Parts;
  readonly pytorch: Parts;
}

const parts = [
  'convolution, forward',
  'convolution, gradient of the input',
  'convolution, gradient of the weights',
  'matrix product',
  'other kernels of oneDNN',
  'changes of layout',
  'everything else',
  'the step',
] as const;
type Part = (typeof parts)[number];

/**
 * What the kernels of a step took.
 * @param lines oneDNN's own, with ONEDNN_VERBOSE=1: comma-separated, `primitive,exec`, the kind and the direction of a kernel in
 *   fields 6 and 8, its milliseconds last
 * @param step milliseconds of the whole step
 */
export function sumKernels(lines: readonly string[], step: number): Parts {
  const sums = Object.fromEntries(parts.map((part) => [part, 0])) as Record<Part, number>;
  for (const line of lines) {
    const fields = line.split(',');
    const at = fields.indexOf('exec');
    if (fields[0] !== 'onednn_verbose' || at < 0) continue;
    const milliseconds = Number(fields.at(-1));
    if (Number.isFinite(milliseconds)) sums[partOf(fields[at + 2]!, fields[at + 4]!)] += milliseconds;
  }
  const known = Object.values(sums).reduce((a, b) => a + b);
  return { ...sums, 'everything else': step - known, 'the step': step };
}

function partOf(kind: string, direction: string): Part {
  if (kind === 'reorder') return 'changes of layout';
  if (kind === 'matmul' || kind === 'inner_product') return 'matrix product';
  if (kind !== 'convolution') return 'other kernels of oneDNN';
  if (direction === 'backward_data') return 'convolution, gradient of the input';
  return direction === 'backward_weights' ? 'convolution, gradient of the weights' : 'convolution, forward';
}

/** docs/performance-profile.md from a run of the benchmark. */
export function profileReport(machine: BenchMachine, profiles: readonly Profile[]): string {
  const share = (of: Parts, part: Part): string => `${((100 * of[part]) / of['the step']).toFixed(0)} %`;
  const tables = profiles.map(({ name, ours, pytorch }) => {
    const rows = parts.map((part) => {
      const cells = [part, ours[part].toFixed(0), share(ours, part), pytorch[part].toFixed(0), share(pytorch, part)];
      return `| ${cells.join(' | ')} |`;
    });
    return `## ${name}

| part | ours, ms | of the step | PyTorch, ms | of the step |
| --- | --- | --- | --- | --- |
${rows.join('\n')}`;
  });
  return `# Performance: where a step's time goes

Written by \`npm run bench -- profile\`; the same figures are in [performance-profile.json](performance-profile.json).

One step on one thread, so that kernels run one after the other, by what oneDNN itself tells of each kernel
(\`ONEDNN_VERBOSE=1\`); both sides compute with it. PyTorch is eager, channels last, and its bf16 autocast's. _Everything else_ is
what isn't oneDNN's: batch norm, ReLU, sums, SGD, padding, the loss, memory, and each framework's own work.

${machineLines(machine)}

${tables.join('\n\n')}

Convolutions are the same kernels on both sides, made for the processor as the program runs; where they are most of a step,
no framework on this library can be much faster than another. What a framework decides is the rest: how often it passes over
memory for what is between convolutions, and how often it changes layouts.
`;
}
