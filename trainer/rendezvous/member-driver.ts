import { randomUUID } from 'node:crypto';

import type { SimSiamError } from '../../api/errors.ts';
import { RankAttempt } from '../launch/attempt.ts';
import { RankDiedError } from '../launch/errors.ts';
import type { LaunchOutcome } from '../launch/launcher.ts';
import type { Plan } from '../launch/plan.ts';
import { addressOf, freePorts } from '../launch/ports.ts';
import type { GroupOutcome } from '../launch/rank-group.ts';
import { rankPrograms } from '../launch/rank-programs.ts';
import { Standbys } from '../launch/standbys.ts';
import type { Timers } from '../launch/timers.ts';
import { systemTimers } from '../launch/timers.ts';
import { RendezvousClient } from './client.ts';
import { failureOf, ReplacedError, RunFailedError } from './errors.ts';
import { describeRefusal } from './handshake.ts';
import type { MemberAction, MemberEvent } from './member.ts';
import { Member } from './member.ts';
import type { Outcome, Refusal, Report } from './messages.ts';
import { looksComplete, type NodeOptions } from './node-options.ts';
import type { RendezvousServer } from './server.ts';
import { dialBackoff, patienceOf, rendezvousTimes, type RendezvousTimes } from './times.ts';

interface Settle {
  resolve(outcome: LaunchOutcome): void;
  reject(error: unknown): void;
}

/** A member with its socket, its ranks and its timers. */
export class MemberDriver {
  readonly ended: Promise<LaunchOutcome>;
  readonly #options: NodeOptions;
  readonly #plan: Plan;
  readonly #server: RendezvousServer | undefined;
  readonly #member: Member;
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #times: RendezvousTimes;
  readonly #incarnation = randomUUID();
  #settle: Settle | undefined;
  #client: RendezvousClient | undefined;
  #attempt: RankAttempt | undefined;
  /** For the next generation, which has the same ranks here as this one. */
  #standbys: Standbys | undefined;
  /** What this worker's own ranks last failed with. */
  #ownError: SimSiamError | undefined;
  #lastRefusal: Refusal | undefined;
  #cancelWake = (): void => {};

  constructor(options: NodeOptions, plan: Plan, server: RendezvousServer | undefined) {
    const { index, run, stop, kill, timers = systemTimers, now = (): number => performance.now() } = options;
    this.#options = options;
    this.#plan = plan;
    this.#server = server;
    this.#timers = timers;
    this.#now = now;
    this.#times = options.times ?? rendezvousTimes;
    const random = options.random ?? Math.random;
    this.#member = new Member(
      {
        ...{ index, device: plan.device, lookEveryMs: this.#times.look },
        patienceMs: options.patienceMs ?? patienceOf(run.spec.failurePolicy),
        backoff: (attempt) => dialBackoff(attempt, random),
      },
      now(),
    );
    this.ended = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    stop.addEventListener('abort', this.#onStop);
    kill.addEventListener('abort', this.#onKill);
    this.#handle({ type: stop.aborted ? 'stop' : 'tick' });
    if (kill.aborted) this.#onKill();
  }

  readonly #onStop = (): void => this.#handle({ type: 'stop' });

  readonly #onKill = (): void => {
    this.#attempt?.end('SIGKILL');
    void (this.#attempt?.ended ?? Promise.resolve()).then(() => this.#end({ status: 'killed' }));
  };

  #handle(event: MemberEvent): void {
    if (!this.#settle) return;
    for (const action of this.#member.handle(event, this.#now())) this.#act(action);
    this.#cancelWake();
    const { wakeAt } = this.#member;
    if (wakeAt === undefined || !this.#settle) return;
    const wait = Math.min(Math.max(1, Math.ceil(wakeAt - this.#now())), 2 ** 31 - 1);
    this.#cancelWake = this.#timers.after(wait, () => this.#handle({ type: 'tick' }));
  }

  #act(action: MemberAction): void {
    switch (action.type) {
      case 'dial':
        return this.#dial();
      case 'send':
        return this.#client?.send(action.message);
      case 'prepare':
        void this.#prepare().catch((thrown: unknown) => this.#fail(thrown));
        return;
      case 'look':
        void looksComplete(this.#options).then((complete) => complete && this.#handle({ type: 'complete' }));
        return;
      case 'start':
        return this.#start(action);
      case 'stop':
        return this.#attempt?.stop();
      case 'end':
        return this.#attempt?.end('SIGTERM');
      case 'exit':
        return this.#exit(action.outcome);
    }
  }

  #dial(): void {
    const { rendezvous, address, identity, index } = this.#options;
    const claim = { index, incarnation: this.#incarnation, generation: this.#member.generation };
    const client = new RendezvousClient({
      // Worker 0 finds itself without a name, which may not be there yet.
      ...(this.#server ? { host: address, port: this.#server.port } : rendezvous),
      ...{ identity, claim, times: this.#times, timers: this.#timers },
      onJoined: () => {
        this.#lastRefusal = undefined;
        this.#handle({ type: 'joined' });
      },
      onMessage: (message) => this.#handle({ type: 'message', message }),
      onDown: (refusal) => this.#down(refusal),
    });
    this.#client = client;
  }

  #down(refusal: Refusal | undefined): void {
    const { identity, index, rendezvous, onEvent } = this.#options;
    if (refusal === 'replaced') {
      const error = new ReplacedError(`another launcher has taken the place of worker ${index}: this one ends`);
      this.#handle({ type: 'refused', outcome: { status: 'failed', failure: failureOf(error) } });
      return;
    }
    if (refusal && refusal !== this.#lastRefusal) {
      const who = addressOf(rendezvous.host, rendezvous.port);
      const message = `who answers at ${who} ${describeRefusal(refusal, identity)}: trying again`;
      onEvent({ type: 'warning', code: 'RENDEZVOUS_REFUSED', message });
    }
    this.#lastRefusal = refusal ?? this.#lastRefusal;
    this.#handle({ type: 'disconnected' });
  }

  async #prepare(): Promise<void> {
    const ports = await freePorts(this.#plan.ranks.length);
    this.#handle({ type: 'prepared', addresses: ports.map((port) => addressOf(this.#options.address, port)) });
  }

  #start({ generation, firstRank, addresses }: Extract<MemberAction, { type: 'start' }>): void {
    const { run, stages, program, everyStep, onEvent, onMessage } = this.#options;
    onEvent({ type: 'generation', generation, world: addresses.length });
    const ranks = { run, plan: this.#plan, firstRank, stages, program, everyStep };
    // On a GPU loading TensorFlow takes some of its memory, which is the ranks'.
    if (this.#plan.device === 'cpu') this.#standbys ??= new Standbys(rankPrograms(ranks, addresses.length));
    const attempt = new RankAttempt({
      ...{ ...ranks, addresses, standbys: this.#standbys, timers: this.#timers },
      onStepped: () => this.#standbys?.fill(),
      former: this.#server?.former,
      onEvent: (event) => {
        if (event.type === 'checkpoint') this.#server?.committed();
        onEvent(event);
      },
      ...(onMessage && { onMessage }),
      onFall: () => this.#handle({ type: 'fell' }),
    });
    this.#attempt = attempt;
    void attempt.ended.then((outcome) => {
      onEvent({ type: 'ended', generation });
      this.#handle({ type: 'ended', report: this.#report(outcome) });
    });
  }

  #report(outcome: GroupOutcome): Report {
    if (outcome.status !== 'failed') return { status: outcome.status };
    const { error, consequence } = outcome;
    if (!consequence) {
      this.#ownError = error;
      const output = error instanceof RankDiedError ? error.output.map((line) => `\n  | ${line}`).join('') : '';
      this.#options.onEvent({
        type: 'warning',
        code: 'RANK_FAILED',
        message: `${error.message} [${error.code}]${output}`,
      });
    }
    return { status: 'failed', failure: failureOf(error), consequence };
  }

  #exit(outcome: Outcome): void {
    const { result, checkpoint } = this.#attempt ?? {};
    if (outcome.status === 'failed') {
      const { failure } = outcome;
      const own = this.#ownError;
      // Its own error says more than what the others are told of it.
      const isOwn = own?.code === failure.code && failure.message.endsWith(own.message);
      this.#fail(isOwn ? own : new RunFailedError(failure));
    } else if (outcome.status === 'stopped') this.#end({ status: 'stopped', checkpoint });
    else this.#end({ status: 'done', result });
  }

  #fail(error: unknown): void {
    this.#close()?.reject(error);
  }

  #end(outcome: LaunchOutcome): void {
    this.#close()?.resolve(outcome);
  }

  #close(): Settle | undefined {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#cancelWake();
    this.#client?.close();
    this.#standbys?.close();
    this.#options.stop.removeEventListener('abort', this.#onStop);
    this.#options.kill.removeEventListener('abort', this.#onKill);
    return settle;
  }
}
