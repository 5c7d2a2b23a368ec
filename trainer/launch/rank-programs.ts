import { fileURLToPath } from 'node:url';

import type { SimSiamRun } from '../../api/run.ts';
import type { RankOrder, Stage } from './messages.ts';
import type { Plan, RankPlan } from './plan.ts';
import { RankProcess } from './rank-process.ts';

export interface RankProgramsOptions {
  readonly run: SimSiamRun;
  /** Of this machine's ranks, counted from 0. */
  readonly plan: Plan;
  /** The number of the first of them among all ranks. */
  readonly firstRank: number;
  readonly stages: readonly Stage[];
  /** Default false: steps are told some times a second. */
  readonly everyStep?: boolean | undefined;
  /** What a rank runs. Default: the trainer's rank-main.js. */
  readonly program?: string | undefined;
}

/** How the processes of a machine's ranks are started, in each generation alike. */
export interface RankPrograms {
  /** With their numbers among all ranks. */
  readonly plans: readonly RankPlan[];
  readonly order: Omit<RankOrder, 'rank' | 'gpu' | 'threads' | 'loaderThreads'>;
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
}

export function rankPrograms(
  { run, plan, firstRank, stages, everyStep = false, program }: RankProgramsOptions,
  world: number,
): RankPrograms {
  return {
    plans: plan.ranks.map((rank) => ({ ...rank, rank: firstRank + rank.rank })),
    order: { run, world, stages, everyStep },
    program: program ?? fileURLToPath(new URL('../rank-main.js', import.meta.url)),
    env: quietTensorflow(process.env),
  };
}

/** Starts the process of a rank; it waits for its orders, and nobody hears it yet. */
export function startProcess({ program, env }: Pick<RankPrograms, 'program' | 'env'>, plan: RankPlan): RankProcess {
  return new RankProcess({ rank: plan.rank, program, env: { ...env, ...plan.env }, onMessage: () => {} });
}

/** TensorFlow's chatter below errors is of no use to the user and would push the last words of a crash out. */
export function quietTensorflow(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { TF_CPP_MIN_LOG_LEVEL: '2', ...env };
}
