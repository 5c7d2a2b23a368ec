import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { PretrainSpec } from '../api/pretrain.ts';
import { vectorsHere, type Vectors } from '../trainer/rank/vectors.ts';

/** What a step computes in. PyTorch's bf16 is autocast's. */
export type Precision = PretrainSpec['precision'];

/** What a benchmark ran on. */
export interface BenchMachine {
  readonly cpu: string;
  /** The widest vectors in which an x86 processor multiplies; left out where nothing tells. */
  readonly vectors?: Vectors | undefined;
  readonly cores: number;
  readonly node: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  /** Load average of the minute before: above 0 means that other programs had a share. */
  readonly load: number;
  /** Versions of what the peers ran with, by package. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Call it before the benchmark makes a load of its own. `python` and its `packages` are those of the peers. */
export function benchMachine(python?: string, packages: readonly string[] = []): BenchMachine {
  const versions = packages.map((name) => {
    const print = `from importlib.metadata import version; print(version("${name}"))`;
    return [name, execFileSync(python ?? 'python3', ['-c', print], { encoding: 'utf8' }).trim()] as const;
  });
  return {
    cpu: cpus()[0]?.model ?? process.arch,
    vectors: vectorsHere(),
    cores: availableParallelism(),
    node: process.versions.node,
    measuredAt: new Date().toISOString(),
    load: loadavg()[0]!,
    versions: Object.fromEntries(versions),
  };
}

/** In what PyTorch is fastest where we compute in this: a processor that doesn't multiply bfloat16 itself has PyTorch imitate it. */
export function peersPrecision(ours: Precision, { vectors }: Pick<BenchMachine, 'vectors'>): Precision {
  return vectors?.endsWith('bfloat16') ? ours : 'fp32';
}

/** The lines of a page that say it. */
export function machineLines({ cpu, vectors, cores, node, measuredAt, load, versions }: BenchMachine): string {
  const software = [`Node.js ${node}`, ...Object.entries(versions).map(([name, version]) => `${name} ${version}`)];
  return [
    `- ${cpu}${vectors === undefined ? '' : ` with ${vectors}`}, ${cores} cores; load average before: ${load.toFixed(1)}`,
    `- ${software.join(', ')}`,
    `- measured ${measuredAt}`,
  ].join('\n');
}
