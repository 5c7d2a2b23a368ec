import { failureOf, RendezvousUnreachableError } from './errors.ts';
import type { CoordinatorMessage, MemberMessage, Outcome, Report } from './messages.ts';

export type MemberEvent =
  /** Worker 0 has let us in. */
  | { readonly type: 'joined' }
  /** A try to join failed, or the connection is gone. */
  | { readonly type: 'disconnected' }
  /** Another launcher has our place, for good. */
  | { readonly type: 'refused'; readonly outcome: Outcome }
  | { readonly type: 'message'; readonly message: CoordinatorMessage }
  /** What `prepare` asked for. */
  | { readonly type: 'prepared'; readonly addresses: readonly string[] }
  /** A rank is gone. */
  | { readonly type: 'fell' }
  /** All processes of the ranks are gone. */
  | { readonly type: 'ended'; readonly report: Report }
  /** This launcher is to stop. */
  | { readonly type: 'stop' }
  /** The store has all that the stage was for. */
  | { readonly type: 'complete' }
  | { readonly type: 'tick' };

export type MemberAction =
  | { readonly type: 'dial' }
  | { readonly type: 'send'; readonly message: MemberMessage }
  /** Find free ports. */
  | { readonly type: 'prepare' }
  /** Look whether the stage is complete: those who did it may all be gone. */
  | { readonly type: 'look' }
  | {
      readonly type: 'start';
      readonly generation: number;
      readonly firstRank: number;
      readonly addresses: readonly string[];
    }
  | { readonly type: 'stop' }
  | { readonly type: 'end' }
  /** Nothing runs any more. */
  | { readonly type: 'exit'; readonly outcome: Outcome };

export interface MemberOptions {
  readonly index: number;
  readonly device: 'cpu' | 'gpu';
  /** How long worker 0 is looked for before it counts as gone for good, in milliseconds. */
  readonly patienceMs: number;
  /** How often the store is looked at meanwhile, in milliseconds. */
  readonly lookEveryMs: number;
  /** Pause before the so many-th try to reach worker 0, in milliseconds. */
  readonly backoff: (attempt: number) => number;
}

/**
 * One launcher's part in the rendezvous, without effects: it joins worker 0, runs ranks while worker 0 says so, and has
 * none whenever it is not connected or about to join. Events go in with the time (milliseconds, monotonic), actions out.
 */
export class Member {
  readonly #options: MemberOptions;
  #link: 'down' | 'dialing' | 'up' = 'down';
  #ranks: 'none' | 'running' | 'ending' = 'none';
  #generation = 0;
  #offering = false;
  #stopping = false;
  /** Worker 0 has gone because it was told to. */
  #left = false;
  #outcome: Outcome | undefined;
  #exited = false;
  #attempts = 0;
  #dialAt: number;
  #lookAt: number;
  #patientUntil: number;
  #actions: MemberAction[] = [];

  constructor(options: MemberOptions, now: number) {
    this.#options = options;
    this.#dialAt = now;
    this.#lookAt = now + options.lookEveryMs;
    this.#patientUntil = now + options.patienceMs;
  }

  /** The last generation whose ranks were started here, 0 before the first. */
  get generation(): number {
    return this.#generation;
  }

  get wakeAt(): number | undefined {
    if (this.#exited || this.#ranks !== 'none') return undefined;
    if (this.#link === 'up') return this.#lookAt;
    const rest = Math.min(this.#lookAt, this.#patientUntil);
    return this.#link === 'down' ? Math.min(this.#dialAt, rest) : rest;
  }

  handle(event: MemberEvent, now: number): readonly MemberAction[] {
    this.#actions = [];
    if (this.#exited) return [];
    switch (event.type) {
      case 'joined':
        this.#link = 'up';
        this.#left = false;
        this.#attempts = 0;
        if (this.#stopping) this.#send({ type: 'stop' });
        this.#prepare();
        break;
      case 'disconnected':
        this.#disconnected(now);
        break;
      case 'refused':
        this.#link = 'down';
        this.#finish(event.outcome);
        break;
      case 'message':
        this.#hear(event.message);
        break;
      case 'prepared':
        this.#offering = false;
        if (this.#link === 'up' && this.#ranks === 'none') {
          const { device } = this.#options;
          this.#send({ type: 'offer', addresses: [...event.addresses], device });
        }
        break;
      case 'fell':
        if (this.#ranks === 'running' && this.#link === 'up')
          this.#send({ type: 'fell', generation: this.#generation });
        break;
      case 'ended':
        this.#ranks = 'none';
        if (this.#link === 'up') {
          this.#send({ type: 'ended', generation: this.#generation, report: event.report });
          this.#prepare();
        }
        break;
      case 'stop':
        this.#stopping = true;
        if (this.#link === 'up') this.#send({ type: 'stop' });
        break;
      case 'complete':
        this.#finish({ status: 'done' });
        break;
      case 'tick':
        break;
    }
    this.#proceed(now);
    return this.#actions;
  }

  #hear(message: CoordinatorMessage): void {
    switch (message.type) {
      case 'start': {
        if (this.#ranks !== 'none' || this.#outcome) break;
        const { generation, firstRank, addresses } = message;
        this.#generation = generation;
        this.#ranks = 'running';
        this.#actions.push({ type: 'start', generation, firstRank, addresses });
        break;
      }
      case 'end':
        if (message.generation === this.#generation) this.#endRanks();
        break;
      case 'stop':
        if (this.#ranks === 'running') this.#actions.push({ type: 'stop' });
        break;
      case 'finish':
        this.#finish(message.outcome);
        break;
      case 'leave':
        this.#left = true;
        break;
      case 'ping':
        this.#send({ type: 'pong' });
        break;
    }
  }

  #disconnected(now: number): void {
    if (this.#link === 'up') this.#patientUntil = now + this.#options.patienceMs;
    this.#link = 'down';
    this.#attempts += 1;
    this.#dialAt = now + this.#options.backoff(this.#attempts);
    // Without worker 0 nobody knows who else runs ranks now.
    this.#endRanks();
  }

  #proceed(now: number): void {
    if (this.#ranks !== 'none') return;
    // Whoever asked us to stop won't wait until worker 0 is found: all that was committed stays.
    if (this.#stopping && this.#link !== 'up') this.#outcome ??= { status: 'stopped' };
    if (this.#link !== 'up' && now >= this.#patientUntil) this.#outcome ??= this.#unreachable();
    if (this.#outcome) {
      this.#exited = true;
      this.#actions.push({ type: 'exit', outcome: this.#outcome });
      return;
    }
    if (now >= this.#lookAt) {
      this.#lookAt = now + this.#options.lookEveryMs;
      this.#actions.push({ type: 'look' });
    }
    if (this.#link === 'down' && now >= this.#dialAt) {
      this.#link = 'dialing';
      this.#actions.push({ type: 'dial' });
    }
  }

  #unreachable(): Outcome {
    const { index, patienceMs } = this.#options;
    if (this.#left) return { status: 'stopped' };
    const error = new RendezvousUnreachableError(
      `worker ${index} could not reach worker 0 for ${Math.round(patienceMs / 60_000)} min: the last checkpoint is kept`,
    );
    return { status: 'failed', failure: failureOf(error) };
  }

  #finish(outcome: Outcome): void {
    this.#outcome ??= outcome;
    this.#endRanks();
  }

  #endRanks(): void {
    if (this.#ranks !== 'running') return;
    this.#ranks = 'ending';
    this.#actions.push({ type: 'end' });
  }

  #prepare(): void {
    if (this.#offering) return;
    this.#offering = true;
    this.#actions.push({ type: 'prepare' });
  }

  #send(message: MemberMessage): void {
    this.#actions.push({ type: 'send', message });
  }
}
