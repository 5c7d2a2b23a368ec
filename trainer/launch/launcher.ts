import { fileURLToPath } from 'node:url';

import type { SimSiamError } from '../../api/errors.ts';
import type { RunResult } from '../../api/run-result.ts';
import type { SimSiamRun } from '../../api/run.ts';
import type { RunEvent } from '../telemetry/run-event.ts';
import type { Machine } from './devices.ts';
import { probeMachine } from './devices.ts';
import { HangError } from './errors.ts';
import { HangWatch } from './hang-watch.ts';
import type { CheckpointMessage, RankToLauncher } from './messages.ts';
import type { Plan } from './plan.ts';
import { planRanks } from './plan.ts';
import { anyTaken, freePorts, loopback } from './ports.ts';
import { RankGroup } from './rank-group.ts';
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
  readonly timers?: Timers;
  /** Default: `freePorts`. */
  readonly choosePorts?: (count: number) => Promise<number[]>;
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
    const attempt = await runGroup(run, plan, options);
    if (!('error' in attempt)) return attempt;
    // All ranks are gone: whoever listens at one of their ports now kept a rank from it.
    const lostPort = !attempt.stepped && (await anyTaken(attempt.ports));
    if (!lostPort || tries === portTries) throw attempt.error;
  }
}

interface FailedAttempt {
  readonly error: SimSiamError;
  readonly ports: readonly number[];
  /** Whether the ranks had found together and finished a step. */
  readonly stepped: boolean;
}

async function runGroup(run: SimSiamRun, plan: Plan, options: LaunchOptions): Promise<LaunchOutcome | FailedAttempt> {
  const timers = options.timers ?? systemTimers;
  const ports = await (options.choosePorts ?? freePorts)(plan.ranks.length);
  if (options.kill.aborted) return { status: 'killed' };
  let result: RunResult | undefined;
  let checkpoint: CheckpointMessage | undefined;
  let stepped = false;
  let place = 'while starting';

  const onMessage = (rank: number, message: RankToLauncher): void => {
    if (rank === 0) watch.beat();
    if (message.type === 'result') result = message.result;
    if (message.type === 'checkpoint') checkpoint = message;
    if (message.type === 'phase') place = `in phase ${message.phase}`;
    if (message.type === 'progress') stepped = true;
    if (message.type === 'progress') place = `after step ${message.step} of ${message.totalSteps} (${message.stage})`;
    const event = eventOf(rank, message);
    if (event) options.onEvent(event);
  };
  const group = new RankGroup({
    plans: plan.ranks,
    start: {
      run,
      world: plan.ranks.length,
      addresses: ports.map((port) => `${loopback}:${port}`),
      stages: run.spec.linear.epochs > 0 ? ['pretrain', 'linear'] : ['pretrain'],
    },
    program: options.program ?? fileURLToPath(new URL('../rank-main.js', import.meta.url)),
    env: rankEnvironment(process.env),
    timers,
    onMessage,
  });
  const { hangTimeoutSeconds } = run.spec.failurePolicy;
  const watch = new HangWatch(hangTimeoutSeconds * 1000, timers, () =>
    group.end(
      'SIGTERM',
      new HangError(
        `no progress for ${hangTimeoutSeconds} s ${place} (spec.failurePolicy.hangTimeoutSeconds): ` +
          'the same command goes on from the last checkpoint',
      ),
    ),
  );
  const stop = (): void => {
    options.onEvent({ type: 'stopping' });
    group.send({ type: 'stop' });
  };
  const kill = (): void => group.end('SIGKILL');
  if (options.stop.aborted) stop();
  else options.stop.addEventListener('abort', stop, { once: true });
  options.kill.addEventListener('abort', kill, { once: true });
  try {
    await group.ended;
  } finally {
    watch.close();
    options.stop.removeEventListener('abort', stop);
    options.kill.removeEventListener('abort', kill);
  }
  if (options.kill.aborted) return { status: 'killed' };
  if (group.error) return { error: group.error, ports, stepped };
  return group.stopped ? { status: 'stopped', checkpoint } : { status: 'done', result };
}

function eventOf(rank: number, message: RankToLauncher): RunEvent | undefined {
  switch (message.type) {
    case 'warning':
      return { ...message, rank };
    case 'phase':
    case 'progress':
    case 'checkpoint':
      return message;
    case 'alive':
    case 'failure':
    case 'result':
      return undefined;
  }
}

/** TensorFlow's chatter below errors is of no use to the user and would push the last words of a crash out. */
function rankEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { TF_CPP_MIN_LOG_LEVEL: '2', ...env };
}
