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
}

/** docs/performance-ranks.md from a run of the benchmark. */
export function ranksReport(machine: BenchMachine, result: RanksResult): string {
  const { arch, batch, imageSize, ranks, rounds, ours, pytorch, overDdp } = result;
  const row = (name: string, { one, two, ratio }: OneAndTwo): string =>
    `| ${name} | ${one.toFixed(0)} | ${two.toFixed(0)} | ${formatRatio(ratio)} |`;
  return `# Performance: ranks

Written by \`npm run bench -- ranks\`; the same figures are in [performance-ranks.json](performance-ranks.json).

The same step of ${arch}, ${batch} × ${imageSize} px, fp32, by one process on ${ranks} threads and by ${ranks} ranks of one thread each on the same cores.
Ours has batch norm over all ranks, so that ${ranks} ranks compute what one does: a message forward and one backward for each of
its layers, each of which waits for the slower rank. PyTorch is DistributedDataParallel over gloo, channels last, whose ranks
keep batch norm to their own images (SyncBatchNorm has no CPU version), which saves all those messages. The sides take turns,
round by round (${rounds}); quartiles are those of the rounds' ratios.

${machineLines(machine)}

| | one rank, ms | ${ranks} ranks, ms | speed of ${ranks} ranks over one's (quartiles) |
| --- | --- | --- | --- |
${row('ours, batch norm over all ranks', ours)}
${row('PyTorch DDP, batch norm of each rank', pytorch)}

Our ${ranks} ranks are ${formatRatio(overDdp)} times as fast as DDP's.
`;
}
