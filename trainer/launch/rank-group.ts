import type { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';
import { causeOf, endedWell, errorOf, isConsequence } from './cause.ts';
import type { LauncherToRank, RankStart, RankToLauncher } from './messages.ts';
import type { RankEnd } from './rank-process.ts';
import type { RankProcess } from './rank-process.ts';
import { startProcess, type RankPrograms } from './rank-programs.ts';
import type { Standbys } from './standbys.ts';
import type { Timers } from './timers.ts';

/** How long the launcher waits for the rank at fault to show itself when another one says that it lost its peers. */
const causeGraceMs = 2_000;
/** Between SIGTERM and SIGKILL for ranks that are ended because another one is gone. */
const killGraceMs = 2_000;

export interface RankGroupOptions extends RankPrograms, Pick<RankStart, 'addresses' | 'exchange' | 'former'> {
  /** Processes that were started ahead, where there are any. */
  readonly standbys?: Standbys | undefined;
  readonly timers: Timers;
  readonly onMessage: (rank: number, message: RankToLauncher) => void;
  /** Called once, as soon as the group is on its way down: a rank failed or died, or `end` was called. */
  readonly onFall?: () => void;
}

/** What became of a group. */
export type GroupOutcome =
  | { readonly status: 'done' }
  /** The ranks stopped early on request. */
  | { readonly status: 'stopped' }
  /** Ended by `end`, and no rank had failed before. */
  | { readonly status: 'ended' }
  | {
      readonly status: 'failed';
      readonly error: SimSiamError;
      /** Whether it only says that a rank elsewhere is gone. */
      readonly consequence: boolean;
    };

/**
 * The rank processes of one attempt: started together, ended together. The end of one that is not done ends all; a
 * later attempt is another group.
 */
export class RankGroup {
  /** Resolved when all processes are gone. */
  readonly ended: Promise<void>;
  readonly #ranks: readonly RankProcess[];
  readonly #timers: Timers;
  readonly #onFall: () => void;
  readonly #cancels: (() => void)[] = [];
  /** In the order in which their ends, or their failures, were noticed. */
  readonly #order: number[] = [];
  readonly #ends = new Map<number, RankEnd>();
  #verdict: SimSiamError | undefined;
  #falling = false;
  #ending = false;

  constructor(options: RankGroupOptions) {
    const { plans, order, addresses, exchange, former, standbys, timers, onMessage, onFall, ...programs } = options;
    this.#timers = timers;
    this.#onFall = onFall ?? (() => {});
    this.#ranks = plans.map((plan) => {
      const rank = standbys?.take(plan.rank) ?? startProcess(programs, plan);
      rank.hear((message) => {
        onMessage(plan.rank, message);
        if (message.type === 'failure') this.#fallen(plan.rank, isConsequence(message));
      });
      const { gpu, threads, loaderThreads } = plan;
      const place = { rank: plan.rank, gpu, threads, loaderThreads };
      rank.send({ type: 'start', ...order, ...place, addresses, exchange, former });
      return rank;
    });
    this.ended = this.#watch();
  }

  get pids(): readonly number[] {
    return this.#ranks.flatMap(({ pid }) => pid ?? []);
  }

  send(message: LauncherToRank): void {
    for (const rank of this.#ranks) rank.send(message);
  }

  /** Ends all ranks now, for `reason` if none of them failed before. */
  end(signal: 'SIGTERM' | 'SIGKILL', reason?: SimSiamError): void {
    this.#verdict ??= reason;
    this.#fall();
    this.#endAll(signal);
  }

  /** After `ended`. */
  get outcome(): GroupOutcome {
    const cause = causeOf(this.#order.map((rank) => this.#ends.get(rank)!));
    const consequence = isConsequence(cause?.failure);
    if (this.#verdict !== undefined && (cause === undefined || consequence))
      return { status: 'failed', error: this.#verdict, consequence: false };
    if (cause) return { status: 'failed', error: errorOf(cause), consequence };
    const ends = [...this.#ends.values()];
    if (!ends.every(endedWell)) return { status: 'ended' };
    return { status: ends.some(({ code }) => code === exitCode.preempted) ? 'stopped' : 'done' };
  }

  async #watch(): Promise<void> {
    await Promise.all(
      this.#ranks.map(async (rank) => {
        const end = await rank.ended;
        this.#ends.set(rank.rank, end);
        if (endedWell(end) && end.failure === undefined) this.#notice(rank.rank);
        else this.#fallen(rank.rank, isConsequence(end.failure));
      }),
    );
    for (const cancel of this.#cancels) cancel();
  }

  #notice(rank: number): void {
    if (!this.#order.includes(rank)) this.#order.push(rank);
  }

  #fallen(rank: number, consequence: boolean): void {
    this.#notice(rank);
    this.#fall();
    if (!consequence) this.#endAll('SIGTERM');
    else this.#later(causeGraceMs, () => this.#endAll('SIGTERM'));
  }

  #fall(): void {
    if (!this.#falling) this.#onFall();
    this.#falling = true;
  }

  #endAll(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#ending && signal === 'SIGTERM') return;
    this.#ending = true;
    for (const rank of this.#ranks) if (!this.#ends.has(rank.rank)) rank.end(signal);
    if (signal === 'SIGTERM') this.#later(killGraceMs, () => this.#endAll('SIGKILL'));
  }

  #later(ms: number, callback: () => void): void {
    this.#cancels.push(this.#timers.after(ms, callback));
  }
}
