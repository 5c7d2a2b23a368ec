import type { SimSiamRun } from '../../api/run.ts';
import type { RankStart, RankToLauncher } from '../launch/messages.ts';
import type { GraphFunction, Runtime } from '../tensorflow/runtime.ts';

/** What every stage of a rank works with. */
export interface RankContext {
  readonly run: SimSiamRun;
  readonly runtime: Runtime;
  readonly loaderThreads: number;
  /** Aborted when the launcher asks to stop; the ranks then finish the same step. */
  readonly stop: AbortSignal;
  /** Milliseconds since some start; only for figures that aren't compared between runs. */
  readonly clock: () => number;
  /** Steps are told so often at most, in milliseconds. */
  readonly progressInterval: number;
  readonly send: (message: RankToLauncher) => void;
  /** Why these ranks follow others, where their launchers saw it. */
  readonly former?: RankStart['former'];
  /** The step of pre-training, where this process has traced it ahead. */
  readonly step?: GraphFunction | undefined;
}

/** The rank that writes: history, checkpoints, result and messages. */
export function isRoot({ runtime }: Pick<RankContext, 'runtime'>): boolean {
  return runtime.rank === 0;
}
