import { machineLines, type BenchMachine } from './machine.ts';
import { formatRatio, type Ratio } from './statistics.ts';

/** Milliseconds of a step, medians over the rounds, and the speed of two ranks as a part of one's. */
interface OneAndTwo {
  readonly one: number;
  readonly two: number;
  readonly ratio: Ratio;
}

export interface RanksResult {
  readonly arch: string;
  /** Of all ranks. */
  readonly batch: number;
  readonly imageSize: number;
  readonly ranks: number;
  readonly rounds: number;
  readonly ours: OneAndTwo;
  readonly pytorch: OneAndTwo;
  /** How many times as fast our two ranks are as DDP's. */
  readonly overDdp: Ratio;
  /** CPU milliseconds of our step, of both ranks together. */
  readonly cpu: Readonly<Record<'one' | 'two', number>>;
  /** Milliseconds of a step that each of our ranks is in collectives. */
  readonly collective: number;
}

/** docs/performance-ranks.md from a run of the benchmark. */
export function ranksReport(machine: BenchMachine, result: RanksResult): string {
  const { arch, batch, imageSize, ranks, rounds, ours, pytorch, overDdp, cpu, collective } = result;
  const row = (name: string, { one, two, ratio }: OneAndTwo): string =>
    `| ${name} | ${one.toFixed(0)} | ${two.toFixed(0)} | ${formatRatio(ratio)} |`;
  return `# Performance: ranks

Written by \`npm run bench -- ranks\`; the same figures are in [performance-ranks.json](performance-ranks.json).

The same step of ${arch}, ${batch} × ${imageSize} px, fp32, by one process on ${ranks} threads and by ${ranks} ranks of one thread each on the same cores.
Ours has batch norm over all ranks, so that ${ranks} ranks compute what one does: an exchange forward and one backward for each of
its layers, each of which waits for the slower rank. PyTorch is DistributedDataParallel over gloo, channels last, whose ranks
keep batch norm to their own images (SyncBatchNorm has no CPU version), which saves all those messages. The sides take turns,
round by round (${rounds}); quartiles are those of the rounds' ratios.

${machineLines(machine)}

| | one rank, ms | ${ranks} ranks, ms | speed of ${ranks} ranks over one's (quartiles) |
| --- | --- | --- | --- |
${row('ours, batch norm over all ranks', ours)}
${row('PyTorch DDP, batch norm of each rank', pytorch)}

Our ${ranks} ranks are ${formatRatio(overDdp)} times as fast as DDP's.

## What bounds them

${ranks} ranks take ${(ours.two - ours.one).toFixed(0)} ms longer for a step than one. Together they spend ${cpu.two.toFixed(0)} ms of CPU time on it where one spends
${cpu.one.toFixed(0)}: ${(cpu.two / ranks - cpu.one / ranks).toFixed(0)} ms more a rank, for what they hand over, and for what each of them does to all weights whatever its
part of the batch: it transforms filters, reads them, and updates them. Each is in collectives for ${collective.toFixed(0)} ms of a step, in which
it copies, adds up, or waits for the other rank. They exchange tensors in memory that they share
([ADR 0019](adr/0019-ranks-of-one-machine-exchange-tensors-in-memory.md)). On more machines TensorFlow sends as many messages
([performance-growth.md](performance-growth.md)), and a device that computes beside the network hides those of the gradients.
`;
}
