import type { Clock, Random } from './clock.ts';
import { pause } from './clock.ts';
import type { LeaseClient } from './lease-client.ts';
import { claimed, released } from './lease-spec.ts';
import type { Lease } from './objects.ts';

export interface LeaderElectionOptions {
  readonly leases: LeaseClient;
  /** Unlike that of any other process that ever lives, such as the pod's name and a random part. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Called once, when this process leads. */
  readonly onElected: () => void;
  /** A try that failed: a trouble of the server, or another process that was quicker. The next one follows. */
  readonly onFailure: (thrown: unknown) => void;
  /** How long others wait for a sign of the leader. Milliseconds, in whole seconds; default 15 s. */
  readonly leaseMs?: number;
  /** How long the leader goes on without a renewal. Shorter than `leaseMs` by all that clocks may differ. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** The longest time between two tries. Default 2 s. */
  readonly retryMs?: number;
}

/** `stopped`: it never led. `released`: it led, and the next one may start at once. `lost`: end the process. */
export type ElectionEnd = 'stopped' | 'released' | 'lost';

/**
 * One leader at a time, by a Lease.
 *
 * Invariants:
 * - `isLeader` is true in at most one process, as long as clocks run at about the same speed. They needn't show the same
 *   time: each process measures how long ago *it* saw the holder's last sign;
 * - a leader counts from when it sent a renewal, the others from when they saw it, so it gives up before they may take over;
 * - who was held up (a busy event loop, a machine that slept) sees `isLeader` false before it does anything else;
 * - who lost it never leads again.
 */
export class LeaderElection {
  readonly #options: Required<LeaderElectionOptions>;
  /** As this process wrote it last; undefined if it must be read before the next try. */
  #lease: Lease | undefined;
  /** The spec that another process wrote, and when it was seen first. */
  #foreign = { spec: '', seenAt: 0 };
  /** When the last renewal that worked was sent. */
  #renewed: { readonly now: number; readonly date: number } | undefined;
  #isOver = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000, ...options };
  }

  /** Whether this process may change anything now. */
  get isLeader(): boolean {
    return !this.#isOver && this.#leftMs > 0;
  }

  /** Takes part until the signal aborts (then a lease that is held is released) or leadership is lost. Never rejects. */
  async run(signal: AbortSignal): Promise<ElectionEnd> {
    const { clock, onElected } = this.#options;
    let nextTryMs = 0;
    do {
      await pause(clock, nextTryMs, signal);
      if (signal.aborted) return this.#lease === undefined ? 'stopped' : this.#release();
      nextTryMs = await this.#try();
    } while (!this.isLeader);
    onElected();
    return this.#hold(signal, nextTryMs);
  }

  async #hold(signal: AbortSignal, firstTryMs: number): Promise<ElectionEnd> {
    const { clock } = this.#options;
    let nextTryMs = firstTryMs;
    while (this.isLeader) {
      await pause(clock, Math.min(nextTryMs, this.#leftMs), signal);
      if (signal.aborted) return this.#release();
      if (!this.isLeader) break;
      // A server that doesn't answer must not hold up the end.
      const tried = new AbortController();
      void this.#try().then((ms) => {
        nextTryMs = ms;
        tried.abort();
      });
      await pause(clock, this.#leftMs, tried.signal);
    }
    this.#isOver = true;
    return 'lost';
  }

  /** How long this process may lead without another renewal. A machine that slept shows it by its time of day. */
  get #leftMs(): number {
    if (this.#renewed === undefined) return 0;
    const { clock, renewDeadlineMs } = this.#options;
    const { now, date } = this.#renewed;
    return renewDeadlineMs - Math.max(clock.now() - now, clock.date().getTime() - date);
  }

  /** Takes or renews the lease if it may. Returns when to try the next time, in milliseconds. */
  async #try(): Promise<number> {
    const { clock, identity, leases, leaseMs, onFailure, random } = this.#options;
    const retryMs = this.#options.retryMs * (1 - random() / 5);
    try {
      const lease = this.#lease ?? (await leases.read());
      const heldMs = this.#heldMs(lease);
      if (heldMs > 0) {
        this.#renewed = undefined;
        return Math.min(retryMs, heldMs);
      }
      const sent = { now: clock.now(), date: clock.date().getTime() };
      const spec = claimed(lease?.spec, identity, leaseMs, clock.date());
      this.#lease = lease === undefined ? await leases.create(spec) : await leases.replace({ ...lease, spec });
      this.#renewed = sent;
    } catch (thrown) {
      // Whether it was written isn't known, or another process wrote.
      this.#lease = undefined;
      onFailure(thrown);
    }
    return retryMs;
  }

  /** How long the lease is another process's at least, as far as this one has seen; 0 if it may be taken. */
  #heldMs(lease: Lease | undefined): number {
    const { clock, identity, leaseMs } = this.#options;
    const { holderIdentity, leaseDurationSeconds = leaseMs / 1000 } = lease?.spec ?? {};
    if (!holderIdentity || holderIdentity === identity) return 0;
    const spec = JSON.stringify(lease?.spec);
    if (spec !== this.#foreign.spec) this.#foreign = { spec, seenAt: clock.now() };
    return Math.max(0, this.#foreign.seenAt + leaseDurationSeconds * 1000 - clock.now());
  }

  async #release(): Promise<ElectionEnd> {
    const { clock, identity, leases, onFailure } = this.#options;
    this.#isOver = true;
    try {
      const lease = await leases.read();
      if (lease?.spec?.holderIdentity === identity) {
        await leases.replace({ ...lease, spec: released(lease.spec, clock.date()) });
      }
    } catch (thrown) {
      onFailure(thrown);
    }
    return 'released';
  }
}
