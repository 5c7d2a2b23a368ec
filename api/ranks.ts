import type { SimSiamRunSpec } from './run.ts';

/** What of a run decides how many ranks it has. */
type Workers = Pick<SimSiamRunSpec, 'workers' | 'gpusPerWorker'>;

/** Ranks of a run whose workers have all the GPUs they ask for, as in a cluster. */
export function clusterRanks({ workers, gpusPerWorker }: Workers): number {
  return workers * Math.max(1, gpusPerWorker);
}

/**
 * Ranks of a run on one machine that has `gpuCount` GPUs: as in a cluster where there are enough of them, else one CPU
 * rank for each worker. Both divide the batch of a valid run, since the workers divide the cluster's ranks.
 */
export function localRanks(workers: Workers, gpuCount: number): { readonly ranks: number; readonly onGpu: boolean } {
  const wanted = clusterRanks(workers);
  const onGpu = workers.gpusPerWorker > 0 && gpuCount >= wanted;
  return { ranks: onGpu ? wanted : workers.workers, onGpu };
}
