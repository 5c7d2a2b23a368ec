import { clusterRanks, localRanks } from '../../api/ranks.ts';
import type { SimSiamRun } from '../../api/run.ts';
import type { Machine } from './devices.ts';
import { PlacementError } from './errors.ts';

export interface RankPlan {
  readonly rank: number;
  /** Name of the GPU that it gets; null: it computes on the cores. */
  readonly gpu: string | null;
  /** TensorFlow's compute threads. */
  readonly threads: number;
  readonly loaderThreads: number;
  /** What the rank's environment has beside the launcher's own. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Plan {
  readonly device: 'cpu' | 'gpu';
  readonly ranks: readonly RankPlan[];
}

/**
 * Who runs where on one machine: a GPU each where there are enough of them, else one CPU rank a worker, the cores
 * shared fairly. `run` is a valid one, so its batch can be divided over the ranks.
 * @throws PlacementError for NCCL without GPUs, and if there are GPUs, but fewer than ranks: falling back to the cores unasked would hide a slip
 * behind days of computing.
 */
export function planRanks(run: SimSiamRun, machine: Machine): Plan {
  const { spec } = run;
  const { ranks: world, onGpu } = localRanks(spec, machine.gpus.length);
  if (!onGpu && spec.gpusPerWorker > 0 && machine.gpus.length > 0)
    throw new PlacementError(
      `spec.workers × spec.gpusPerWorker asks for ${clusterRanks(spec)} GPUs and this machine has ` +
        `${machine.gpus.length}: lower them, or set spec.gpusPerWorker: 0 to train on its cores`,
    );
  return placed(run, machine, world, onGpu);
}

/**
 * The ranks of one worker that has the machine, or the pod, to itself: a rank a GPU, or one on the CPU where none is
 * asked for or there. Ranks count from 0.
 * @throws PlacementError if there are GPUs, but fewer than `spec.gpusPerWorker`.
 */
export function planWorker(run: SimSiamRun, machine: Machine): Plan {
  const { gpusPerWorker } = run.spec;
  const onGpu = gpusPerWorker > 0 && machine.gpus.length > 0;
  if (onGpu && machine.gpus.length < gpusPerWorker)
    throw new PlacementError(
      `spec.gpusPerWorker asks for ${gpusPerWorker} GPUs and this worker has ${machine.gpus.length}: lower it`,
    );
  return placed(run, machine, onGpu ? gpusPerWorker : 1, onGpu);
}

function placed({ spec }: SimSiamRun, machine: Machine, count: number, onGpu: boolean): Plan {
  if (!onGpu && spec.collectives === 'nccl')
    throw new PlacementError(
      'spec.collectives: nccl is between GPUs, and the ranks get none: leave it out, or use grpc',
    );
  const share = Math.max(1, Math.floor(machine.cores / count));
  const threads = spec.threadsPerRank ?? share;
  return {
    device: onGpu ? 'gpu' : 'cpu',
    ranks: Array.from({ length: count }, (_, rank) => ({
      rank,
      gpu: onGpu ? machine.gpus[rank]!.name : null,
      threads,
      loaderThreads: spec.loaderThreadsPerRank ?? share,
      env: environmentOf(onGpu ? machine.gpus[rank]!.id : undefined, threads),
    })),
  };
}

/** A process of its own with all cores, and the first GPU where there is one. */
export function planTask({ cores, gpus }: Machine): Omit<RankPlan, 'rank' | 'gpu'> {
  return { threads: cores, loaderThreads: cores, env: environmentOf(gpus[0]?.id, cores) };
}

function environmentOf(gpu: string | undefined, threads: number): RankPlan['env'] {
  return {
    // '-1' names no device: a CPU rank must not take a GPU's memory.
    CUDA_VISIBLE_DEVICES: gpu ?? '-1',
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: String(threads),
  };
}
