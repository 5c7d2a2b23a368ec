import type { RunEvent } from '../telemetry/run-event.ts';
import { causeOf, isFinal, type Cause, type WorkerReport } from './cause.ts';
import { failureOf, PeersLostError, ReplacedError } from './errors.ts';
import type { CoordinatorMessage, MemberMessage, Outcome } from './messages.ts';
import { Roster, type ConnectionId, type Member } from './roster.ts';

export type CoordinatorEvent =
  /** A worker that has proved itself; none of its ranks run. */
  | {
      readonly type: 'join';
      readonly connection: ConnectionId;
      readonly index: number;
      readonly incarnation: string;
      readonly generation: number;
    }
  | { readonly type: 'message'; readonly connection: ConnectionId; readonly message: MemberMessage }
  | { readonly type: 'lost'; readonly connection: ConnectionId; readonly silent: boolean }
  /** Rank 0 has committed a checkpoint. */
  | { readonly type: 'committed' }
  | { readonly type: 'tick' };

export type CoordinatorAction =
  | { readonly type: 'send'; readonly connection: ConnectionId; readonly message: CoordinatorMessage }
  | { readonly type: 'refuse'; readonly connection: ConnectionId }
  | { readonly type: 'welcome'; readonly connection: ConnectionId }
  | { readonly type: 'drop'; readonly connection: ConnectionId }
  | { readonly type: 'tell'; readonly event: RunEvent };

export interface CoordinatorOptions {
  readonly workers: number;
  /** Generations in a row that may fail without a checkpoint in between, before a pod has to. */
  readonly restarts: number;
  /** Whether a worker that is told to go is made anew: it goes alone, and the others await it. Else all stop. */
  readonly remade: boolean;
  /** How long workers that had met are awaited, in milliseconds. */
  readonly patienceMs: number;
  /** After which time a lost worker's ranks are surely gone: its connection broke, or it fell silent. */
  readonly fenceMs: { readonly closed: number; readonly silent: number };
  /** Pause before the so many-th restart in a row, in milliseconds. */
  readonly backoff: (restart: number) => number;
}

/** When missing workers are told first, and how often then. */
const waitingMs = { first: 2_000, later: 60_000 } as const;

type Phase = 'gathering' | 'running' | 'ending' | 'finished';

/**
 * Who belongs to the run now, and which generation of ranks runs: worker 0's decisions, without effects. Events go in
 * with the time (milliseconds, monotonic), actions come out. It holds that
 * - a generation starts only with all workers there and no rank of an earlier one left, as far as can be known: a lost
 *   worker's ranks end within `fenceMs`, by its own watch over the connection;
 * - any end of a rank that isn't the end of the stage ends the generation;
 * - it ends: with all ranks done or stopped, with an error that no retry mends, or when workers stay away for too long.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #roster: Roster;
  readonly #replaced = new Set<string>();
  #phase: Phase = 'gathering';
  #generation = 0;
  /** The last one that any worker has had ranks of, under a former worker 0 too. */
  #latest = 0;
  #outcome: Outcome | undefined;
  /** The ranks of this generation are to stop, and know. */
  #stopSent = false;
  /** Workers that went because they were told to, and are not back. */
  readonly #gone = new Set<number>();
  /** Of the current generation. */
  #reports: WorkerReport[] = [];
  #lost: number | undefined;
  /** Failed generations since the last checkpoint. */
  #fruitless = 0;
  #fencedUntil = -Infinity;
  #restartAt = -Infinity;
  #patientUntil = Infinity;
  /** When those who are missing are named, lest each of thousands of joins is told. */
  #tellWaitingAt = Infinity;
  #actions: CoordinatorAction[] = [];

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#roster = new Roster(options.workers);
  }

  /** What was decided for all; once it is there, nothing starts any more. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  get generation(): number {
    return this.#generation;
  }

  /** When `tick` is due, if it is. */
  get wakeAt(): number | undefined {
    if (this.#phase === 'finished') return undefined;
    const gathered = this.#phase === 'gathering' && this.#roster.isReady;
    const at = gathered
      ? Math.max(this.#fencedUntil, this.#restartAt)
      : Math.min(this.#patientUntil, this.#tellWaitingAt);
    return Number.isFinite(at) ? at : undefined;
  }

  handle(event: CoordinatorEvent, now: number): readonly CoordinatorAction[] {
    this.#actions = [];
    switch (event.type) {
      case 'join':
        this.#join(event, now);
        break;
      case 'message': {
        const member = this.#roster.on(event.connection);
        if (member) this.#hear(member, event.message, now);
        break;
      }
      case 'lost': {
        const member = this.#roster.on(event.connection);
        if (member) this.#lose(member, event.silent, now);
        break;
      }
      case 'committed':
        this.#fruitless = 0;
        break;
      case 'tick':
        break;
    }
    this.#proceed(now);
    return this.#actions;
  }

  #join(event: Extract<CoordinatorEvent, { type: 'join' }>, now: number): void {
    const { connection, index, incarnation, generation } = event;
    if (this.#replaced.has(incarnation)) {
      this.#actions.push({ type: 'refuse', connection });
      return;
    }
    this.#actions.push({ type: 'welcome', connection });
    const former = this.#roster.at(index);
    if (former) {
      // A launcher that joins anew has ended its ranks before; one that is replaced is only told to.
      if (former.incarnation === incarnation) this.#release(former, now);
      else this.#replace(former, now);
    }
    this.#roster.add({ index, incarnation, connection });
    this.#gone.delete(index);
    this.#latest = Math.max(this.#latest, generation);
    if (this.#latest > 0 && this.#phase === 'gathering') this.#awaitOthers(now);
    if (this.#outcome) this.#send(connection, { type: 'finish', outcome: this.#outcome });
  }

  #hear(member: Member, message: MemberMessage, now: number): void {
    switch (message.type) {
      case 'offer':
        if (!member.hasRanks) member.offer = message;
        break;
      case 'fell':
        if (member.hasRanks && message.generation === this.#generation) this.#endAll(now);
        break;
      case 'ended':
        if (!member.hasRanks || message.generation !== this.#generation) break;
        member.hasRanks = false;
        this.#reports.push({ index: member.index, report: message.report });
        if (message.report.status === 'failed' || message.report.status === 'ended') this.#endAll(now);
        break;
      case 'stop':
        member.leaving = true;
        if (this.#phase === 'running' && !this.#stopSent) this.#sendAll({ type: 'stop' });
        this.#stopSent ||= this.#phase === 'running';
        break;
      case 'pong':
        break;
    }
  }

  #lose(member: Member, silent: boolean, now: number): void {
    const { fenceMs } = this.#options;
    this.#roster.remove(member);
    if (this.#phase === 'gathering' && this.#latest > 0) this.#awaitOthers(now);
    if (!member.hasRanks) return;
    this.#fencedUntil = Math.max(this.#fencedUntil, now + (silent ? fenceMs.silent : fenceMs.closed));
    this.#lost ??= member.index;
    this.#endAll(now);
  }

  /** It is back on a new connection: of the ranks that it had there is no report, but an end. */
  #release(member: Member, now: number): void {
    this.#roster.remove(member);
    this.#actions.push({ type: 'drop', connection: member.connection });
    if (!member.hasRanks) return;
    this.#lost ??= member.index;
    this.#endAll(now);
  }

  #replace(member: Member, now: number): void {
    const error = new ReplacedError(`another launcher has taken the place of worker ${member.index}: this one ends`);
    this.#replaced.add(member.incarnation);
    this.#dismiss(member, { status: 'failed', failure: failureOf(error) });
    // Whether it hears that isn't known: it may be why there is another one.
    this.#lose(member, true, now);
  }

  #dismiss(member: Member, outcome: Outcome): void {
    const { connection } = member;
    this.#roster.remove(member);
    this.#send(connection, { type: 'finish', outcome });
    this.#actions.push({ type: 'drop', connection });
  }

  #endAll(now: number): void {
    if (this.#phase !== 'running') return;
    this.#phase = 'ending';
    // Also for ranks that don't end: a process may be stuck in its machine's kernel.
    this.#awaitOthers(now);
    this.#sendAll({ type: 'end', generation: this.#generation });
  }

  #awaitOthers(now: number): void {
    this.#patientUntil = Math.min(this.#patientUntil, now + this.#options.patienceMs);
  }

  /** Whatever is to be done in the state that an event left. */
  #proceed(now: number): void {
    const running = this.#phase === 'running' || this.#phase === 'ending';
    if (running && !this.#roster.hasRanks) this.#conclude(now);
    if (this.#phase === 'gathering') this.#letGo({ status: 'stopped' }, now);
    if (this.#phase === 'gathering' && this.#roster.isReady) {
      if (now >= this.#fencedUntil && now >= this.#restartAt) this.#form();
    } else if (this.#phase !== 'finished' && now >= this.#patientUntil) {
      this.#giveUp();
    }
    this.#tellWaiting(now);
  }

  #form(): void {
    const { members, unevenness } = this.#roster;
    if (unevenness) {
      this.#finish({ status: 'failed', failure: failureOf(unevenness) });
      return;
    }
    this.#latest += 1;
    this.#generation = this.#latest;
    this.#phase = 'running';
    [this.#reports, this.#lost, this.#patientUntil, this.#stopSent] = [[], undefined, Infinity, false];
    const addresses = members.flatMap(({ offer }) => offer!.addresses);
    const ranksEach = addresses.length / members.length;
    for (const [place, member] of members.entries()) {
      member.offer = undefined;
      member.hasRanks = true;
      const firstRank = place * ranksEach;
      this.#send(member.connection, { type: 'start', generation: this.#generation, firstRank, addresses });
    }
  }

  /** Those who were told to go go now, since they have no ranks: with all others, or for others to come. */
  #letGo(outcome: Outcome, now: number): void {
    const { members } = this.#roster;
    const leaving = members.filter((member) => member.leaving);
    if (leaving.length === 0) return;
    if (!this.#options.remade || leaving.length === members.length) {
      this.#finish(outcome);
      return;
    }
    const withServer = leaving.some(({ index }) => index === 0);
    for (const { connection, leaving } of members) {
      if (withServer && !leaving) this.#send(connection, { type: 'leave' });
    }
    for (const member of leaving) {
      this.#dismiss(member, outcome);
      this.#gone.add(member.index);
    }
    if (this.#latest > 0) this.#awaitOthers(now);
  }

  /** No rank of the generation is left. */
  #conclude(now: number): void {
    this.#phase = 'gathering';
    const cause = causeOf(this.#reports, this.#lost);
    if (cause === undefined) {
      if (this.#reports.every(({ report }) => report.status === 'done')) this.#finish({ status: 'done' });
      else if (!this.#roster.members.some(({ leaving }) => leaving)) this.#finish({ status: 'stopped' });
      return;
    }
    const { failure } = cause;
    if (isFinal(failure) || (this.#stopSent && !this.#options.remade)) {
      this.#finish({ status: 'failed', failure });
      return;
    }
    // A stop that ended in a failure has lost steps: it may not pass for one with a checkpoint.
    if (this.#stopSent) this.#letGo({ status: 'failed', failure }, now);
    if (this.#outcome) return;
    this.#restart(cause, now);
  }

  #restart(cause: Cause, now: number): void {
    const { restarts, backoff } = this.#options;
    const { failure, kind, lost, culprit } = cause;
    // The loss of a pod is counted by who made the pod.
    if (!lost) this.#fruitless += 1;
    if (this.#fruitless > restarts) {
      if (culprit === undefined) return this.#finish({ status: 'failed', failure });
      // Another pod for the one at fault, if it isn't gone already; the others keep theirs and await it.
      const member = this.#roster.at(culprit);
      if (member) this.#dismiss(member, { status: 'failed', failure });
      this.#fruitless = 0;
    }
    this.#tell({ type: 'restart', generation: this.#generation, cause: kind, message: failure.message });
    this.#restartAt = this.#fruitless === 0 ? now : now + backoff(this.#fruitless);
    this.#awaitOthers(now);
  }

  #giveUp(): void {
    const minutes = Math.round(this.#options.patienceMs / 60_000);
    const { missing } = this.#roster;
    // Nothing has failed: there is no room for them yet, and waiting is the scheduler's business.
    if (missing.some((index) => this.#gone.has(index))) {
      this.#finish({ status: 'stopped' });
      return;
    }
    const who = missing.length > 0 ? `worker ${missing.join(', ')}` : 'a rank process that could not be ended';
    const error = new PeersLostError(`waited ${minutes} min in vain for ${who}: the last checkpoint is kept`);
    this.#finish({ status: 'failed', failure: failureOf(error) });
  }

  #finish(outcome: Outcome): void {
    this.#phase = 'finished';
    this.#outcome = outcome;
    this.#sendAll({ type: 'finish', outcome });
  }

  #tellWaiting(now: number): void {
    const missing = this.#phase === 'gathering' ? this.#roster.missing : [];
    if (missing.length === 0) this.#tellWaitingAt = Infinity;
    else if (this.#tellWaitingAt === Infinity) this.#tellWaitingAt = now + waitingMs.first;
    else if (now >= this.#tellWaitingAt) {
      this.#tell({ type: 'waiting', workers: missing });
      this.#tellWaitingAt = now + waitingMs.later;
    }
  }

  #tell(event: RunEvent): void {
    this.#actions.push({ type: 'tell', event });
  }

  #send(connection: ConnectionId, message: CoordinatorMessage): void {
    this.#actions.push({ type: 'send', connection, message });
  }

  #sendAll(message: CoordinatorMessage): void {
    for (const { connection } of this.#roster.members) this.#send(connection, message);
  }
}
