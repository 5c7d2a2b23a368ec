import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Used memory of the GPUs by `nvidia-smi`, by index; none where there is no such tool. Partitions (MIG) aren't told. */
export async function gpuMemory(): Promise<{ gpu: string; usedBytes: number }[]> {
  const query = ['--query-gpu=index,memory.used', '--format=csv,noheader,nounits'];
  try {
    return parseGpuMemory((await promisify(execFile)('nvidia-smi', query, { timeout: 5_000 })).stdout);
  } catch {
    return [];
  }
}

/** Lines of `0, 1234`: index and MiB. */
export function parseGpuMemory(output: string): { gpu: string; usedBytes: number }[] {
  return [...output.matchAll(/^(\d+), (\d+)$/gm)].map(([, gpu, mebibytes]) => ({
    gpu: gpu!,
    usedBytes: Number(mebibytes) * 2 ** 20,
  }));
}
