import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

interface Gpu {
  /** What CUDA_VISIBLE_DEVICES calls it: an index, or the UUID of a MIG partition. */
  readonly id: string;
  readonly name: string;
}

/** What this process may use of the machine. */
export interface Machine {
  readonly cores: number;
  readonly gpus: readonly Gpu[];
}

/** Looks at the machine without loading TensorFlow: that would take the GPUs' memory from the ranks. */
export async function probeMachine(env: NodeJS.ProcessEnv = process.env): Promise<Machine> {
  const [quota, gpus] = await Promise.all([cgroupCores(), installedGpus()]);
  return {
    cores: Math.max(1, Math.min(availableParallelism(), quota)),
    gpus: visibleGpus(gpus, env['CUDA_VISIBLE_DEVICES']),
  };
}

/**
 * The GPUs in the output of `nvidia-smi -L`. A GPU that is partitioned (MIG) counts as its partitions: CUDA gives a
 * process one of them, never the whole.
 */
export function parseGpuList(output: string): Gpu[] {
  const gpus: (Gpu & { partitions: Gpu[] })[] = [];
  for (const line of output.split('\n')) {
    const gpu = /^GPU (\d+): (.+?) \(UUID: /.exec(line);
    const partition = /^\s+(MIG .+?)\s+Device\s+\d+: \(UUID: (MIG-[^)]+)\)/.exec(line);
    if (gpu) gpus.push({ id: gpu[1]!, name: gpu[2]!, partitions: [] });
    else if (partition) gpus.at(-1)?.partitions.push({ id: partition[2]!, name: partition[1]! });
  }
  return gpus.flatMap(({ id, name, partitions }) => (partitions.length > 0 ? partitions : [{ id, name }]));
}

/**
 * Those that CUDA_VISIBLE_DEVICES leaves: all if it is unset, else its entries up to the first one that names no
 * device, as CUDA reads it (`-1` and the empty string hide all).
 */
export function visibleGpus(gpus: readonly Gpu[], visible: string | undefined): readonly Gpu[] {
  if (visible === undefined) return gpus;
  const kept: Gpu[] = [];
  for (const entry of visible.split(',').map((id) => id.trim())) {
    const known = gpus.find(({ id }) => id === entry);
    if (known) kept.push(known);
    else if (/^(GPU|MIG)-/.test(entry)) kept.push({ id: entry, name: entry });
    else break;
  }
  return kept;
}

/** Cores by the CPU limit of a container (`cpu.max` of cgroup v2: quota and period in µs), Infinity without one. */
export function parseCpuMax(text: string): number {
  const [quota, period] = text.trim().split(' ').map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0
    ? Math.max(1, Math.floor(quota / period))
    : Infinity;
}

async function cgroupCores(): Promise<number> {
  // Absent outside containers, on macOS and under cgroup v1.
  const text = await readFile('/sys/fs/cgroup/cpu.max', 'utf8').catch(() => 'max');
  return parseCpuMax(text);
}

async function installedGpus(): Promise<Gpu[]> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', ['-L'], { timeout: 20_000 });
    return parseGpuList(stdout);
  } catch {
    // A minimal image has the driver's files without the tool; without either there is no GPU.
    const names = await readdir('/proc/driver/nvidia/gpus').catch(() => []);
    return names.map((name, index) => ({ id: String(index), name }));
  }
}
