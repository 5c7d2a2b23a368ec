import type { RunResult } from '../../api/run-result.ts';
import type { RunEvent } from '../telemetry/run-event.ts';
import { HangError } from './errors.ts';
import { HangWatch } from './hang-watch.ts';
import type { CheckpointMessage, RankStart, RankToLauncher } from './messages.ts';
import type { GroupOutcome } from './rank-group.ts';
import { RankGroup } from './rank-group.ts';
import { rankPrograms, type RankProgramsOptions } from './rank-programs.ts';
import type { Standbys } from './standbys.ts';
import type { Timers } from './timers.ts';

export interface AttemptOptions extends RankProgramsOptions {
  /** `host:port` of every rank of all machines. */
  readonly addresses: readonly string[];
  readonly exchange?: RankStart['exchange'];
  readonly former?: RankStart['former'];
  /** Processes that were started ahead and become these ranks, where there are any. */
  readonly standbys?: Standbys | undefined;
  readonly timers: Timers;
  readonly onEvent: (event: RunEvent) => void;
  /** Called for each message of a rank, those that are no event included. */
  readonly onMessage?: () => void;
  /** Called once, when each rank has finished a step. */
  readonly onStepped?: () => void;
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
  readonly #options: AttemptOptions;
  readonly #group: RankGroup;
  readonly #watch: HangWatch | undefined;
  readonly #stepped = new Set<number>();
  #place = 'while starting';

  constructor(options: AttemptOptions) {
    this.#options = options;
    const { run, firstRank, addresses, exchange, former, standbys, timers } = options;
    this.#group = new RankGroup({
      ...rankPrograms(options, addresses.length),
      ...{ addresses, exchange, former, standbys, timers },
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

  /** Whether the ranks had found together and finished a step. */
  get stepped(): boolean {
    return this.#stepped.size > 0;
  }

  /** All ranks finish the same step, commit and end, once those of every machine are asked. */
  stop(): void {
    this.#options.onEvent({ type: 'stopping' });
    this.#group.send({ type: 'stop' });
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#group.end(signal);
  }

  #onStepped(rank: number): void {
    this.#stepped.add(rank);
    if (this.#stepped.size === this.#options.plan.ranks.length) this.#options.onStepped?.();
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
    if (message.type === 'stepped') this.#onStepped(rank);
    if (message.type === 'progress') {
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
    case 'stepped':
    case 'alive':
    case 'failure':
    case 'result':
      return undefined;
  }
}
