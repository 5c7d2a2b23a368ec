import type { SimSiamError } from '../../api/errors.ts';
import type { RunResult } from '../../api/run-result.ts';
import type { SimSiamRun } from '../../api/run.ts';
import type { RunEvent } from '../telemetry/run-event.ts';
import { RankAttempt } from './attempt.ts';
import type { Machine } from './devices.ts';
import { probeMachine } from './devices.ts';
import { makeExchangeFile } from './exchange-file.ts';
import type { CheckpointMessage, Stage } from './messages.ts';
import type { Plan } from './plan.ts';
import { planRanks } from './plan.ts';
import { addressOf, anyTaken, freePorts, loopback } from './ports.ts';
import type { Timers } from './timers.ts';
import { systemTimers } from './timers.ts';

/** How often ranks are started with new ports when one of theirs was taken. */
const portTries = 5;

export type LaunchOutcome =
  | { readonly status: 'done'; readonly result: RunResult | undefined }
  /** Stopped on request; `checkpoint` is the last one that was committed in this process's time. */
  | { readonly status: 'stopped'; readonly checkpoint: CheckpointMessage | undefined }
  | { readonly status: 'killed' };

export interface LaunchOptions {
  readonly onEvent: (event: RunEvent) => void;
  /** Aborted: the ranks finish the same step, commit and end. */
  readonly stop: AbortSignal;
  /** Aborted: the ranks are killed at once; what is committed stays. */
  readonly kill: AbortSignal;
  /** Default: this machine, as `probeMachine` sees it. */
  readonly machine?: Machine;
  /** What a rank runs. Default: the trainer's rank-main.js. */
  readonly program?: string;
  /** Default false: steps are told some times a second. */
  readonly everyStep?: boolean;
  readonly timers?: Timers;
  /** Default: `freePorts`. */
  readonly choosePorts?: (count: number) => Promise<number[]>;
}

/** What there is to do for a run that is trained in one go. */
export function allStages({ spec }: SimSiamRun): readonly Stage[] {
  return spec.linear.epochs > 0 ? ['pretrain', 'linear'] : ['pretrain'];
}

/**
 * Runs all stages of `run` on this machine, one process a rank.
 * @throws PlacementError, RankFailedError, RankDiedError, HangError: see errors.ts
 */
export async function launch(run: SimSiamRun, options: LaunchOptions): Promise<LaunchOutcome> {
  const plan = planRanks(run, options.machine ?? (await probeMachine()));
  const world = plan.ranks.length;
  options.onEvent({ type: 'ranks', world, device: plan.device, threads: plan.ranks[0]!.threads });
  for (let tries = 1; ; tries += 1) {
    const attempt = await attemptOnce(run, plan, options);
    if (!('error' in attempt)) return attempt;
    // All ranks are gone: whoever listens at one of their ports now kept a rank from it.
    const lostPort = !attempt.stepped && (await anyTaken(attempt.ports));
    if (!lostPort || tries === portTries) throw attempt.error;
  }
}

interface FailedAttempt {
  readonly error: SimSiamError;
  readonly ports: readonly number[];
  readonly stepped: boolean;
}

async function attemptOnce(
  run: SimSiamRun,
  plan: Plan,
  options: LaunchOptions,
): Promise<LaunchOutcome | FailedAttempt> {
  const ports = await (options.choosePorts ?? freePorts)(plan.ranks.length);
  const wanted = plan.device === 'cpu' && run.spec.collectives !== 'grpc';
  const exchange = wanted ? await makeExchangeFile(ports.length) : undefined;
  try {
    return await attemptAt(run, plan, ports, exchange?.path, options);
  } finally {
    await exchange?.remove();
  }
}

async function attemptAt(
  run: SimSiamRun,
  plan: Plan,
  ports: readonly number[],
  exchange: string | undefined,
  options: LaunchOptions,
): Promise<LaunchOutcome | FailedAttempt> {
  if (options.kill.aborted) return { status: 'killed' };
  const attempt = new RankAttempt({
    ...{ run, plan, firstRank: 0, stages: allStages(run), program: options.program, onEvent: options.onEvent },
    everyStep: options.everyStep,
    addresses: ports.map((port) => addressOf(loopback, port)),
    exchange,
    timers: options.timers ?? systemTimers,
  });
  const stop = (): void => attempt.stop();
  const kill = (): void => attempt.end('SIGKILL');
  if (options.stop.aborted) stop();
  else options.stop.addEventListener('abort', stop, { once: true });
  options.kill.addEventListener('abort', kill, { once: true });
  try {
    const outcome = await attempt.ended;
    if (options.kill.aborted || outcome.status === 'ended') return { status: 'killed' };
    if (outcome.status === 'failed') return { error: outcome.error, ports, stepped: attempt.stepped };
    if (outcome.status === 'stopped') return { status: 'stopped', checkpoint: attempt.checkpoint };
    return { status: 'done', result: attempt.result };
  } finally {
    options.stop.removeEventListener('abort', stop);
    options.kill.removeEventListener('abort', kill);
  }
}
