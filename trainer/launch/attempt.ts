import { fileURLToPath } from 'node:url';

import type { RunResult } from '../../api/run-result.ts';
import type { SimSiamRun } from '../../api/run.ts';
import type { RunEvent } from '../telemetry/run-event.ts';
import { HangError } from './errors.ts';
import { HangWatch } from './hang-watch.ts';
import type { CheckpointMessage, RankStart, RankToLauncher, Stage } from './messages.ts';
import type { Plan } from './plan.ts';
import type { GroupOutcome } from './rank-group.ts';
import { RankGroup } from './rank-group.ts';
import type { Timers } from './timers.ts';

export interface AttemptOptions {
  readonly run: SimSiamRun;
  /** Of this machine's ranks, counted from 0. */
  readonly plan: Plan;
  /** The number of the first of them among all ranks. */
  readonly firstRank: number;
  /** `host:port` of every rank of all machines. */
  readonly addresses: readonly string[];
  readonly stages: readonly Stage[];
  /** Default false: steps are told some times a second. */
  readonly everyStep?: boolean | undefined;
  readonly former?: RankStart['former'];
  /** What a rank runs. Default: the trainer's rank-main.js. */
  readonly program?: string | undefined;
  readonly timers: Timers;
  readonly onEvent: (event: RunEvent) => void;
  /** Called for each message of a rank, those that are no event included. */
  readonly onMessage?: () => void;
  /** Called once, as soon as the ranks are on their way down, whatever the reason. */
  readonly onFall?: () => void;
}

/** One start of this machine's ranks, up to the end of all of them. */
export class RankAttempt {
  /** Resolved when all their processes are gone. */
  readonly ended: Promise<GroupOutcome>;
  /** What rank 0 said last, where it is one of them. */
  result: RunResult | undefined;
  checkpoint: CheckpointMessage | undefined;
  /** Whether the ranks had found together and finished a step, as far as rank 0 told. */
  stepped = false;
  readonly #options: AttemptOptions;
  readonly #group: RankGroup;
  readonly #watch: HangWatch | undefined;
  #place = 'while starting';

  constructor(options: AttemptOptions) {
    this.#options = options;
    const { run, plan, firstRank, addresses, stages, everyStep = false, former, timers } = options;
    this.#group = new RankGroup({
      plans: plan.ranks.map((rank) => ({ ...rank, rank: firstRank + rank.rank })),
      start: { run, world: addresses.length, addresses, stages, everyStep, former },
      program: options.program ?? fileURLToPath(new URL('../rank-main.js', import.meta.url)),
      env: quietTensorflow(process.env),
      timers,
      onMessage: (rank, message) => this.#onMessage(rank, message),
      ...(options.onFall && { onFall: options.onFall }),
    });
    // Rank 0 tells of every step; that of another machine is watched there.
    const timeout = run.spec.failurePolicy.hangTimeoutSeconds;
    if (firstRank === 0) this.#watch = new HangWatch(timeout * 1000, timers, () => this.#hang(timeout));
    this.ended = this.#group.ended.then(() => {
      this.#watch?.close();
      return this.#group.outcome;
    });
  }

  /** All ranks finish the same step, commit and end, once those of every machine are asked. */
  stop(): void {
    this.#options.onEvent({ type: 'stopping' });
    this.#group.send({ type: 'stop' });
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#group.end(signal);
  }

  #hang(timeoutSeconds: number): void {
    const message =
      `no progress for ${timeoutSeconds} s ${this.#place} (spec.failurePolicy.hangTimeoutSeconds): ` +
      'the same command goes on from the last checkpoint';
    this.#group.end('SIGTERM', new HangError(message));
  }

  #onMessage(rank: number, message: RankToLauncher): void {
    this.#options.onMessage?.();
    if (rank === 0) this.#watch?.beat();
    if (message.type === 'result') this.result = message.result;
    if (message.type === 'checkpoint') this.checkpoint = message;
    if (message.type === 'phase') this.#place = `in phase ${message.phase}`;
    if (message.type === 'progress') {
      this.stepped = true;
      this.#place = `after step ${message.step} of ${message.totalSteps} (${message.stage})`;
    }
    const event = eventOf(rank, message);
    if (event) this.#options.onEvent(event);
  }
}

function eventOf(rank: number, message: RankToLauncher): RunEvent | undefined {
  switch (message.type) {
    case 'warning':
    case 'wait':
    case 'unreadable':
      return { ...message, rank };
    case 'phase':
    case 'progress':
    case 'validation':
    case 'checkpoint':
      return message;
    case 'alive':
    case 'failure':
    case 'result':
      return undefined;
  }
}

/** TensorFlow's chatter below errors is of no use to the user and would push the last words of a crash out. */
export function quietTensorflow(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { TF_CPP_MIN_LOG_LEVEL: '2', ...env };
}
