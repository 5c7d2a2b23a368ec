import type { BackoffLimits } from './backoff.ts';
import { backoffDelay } from './backoff.ts';
import type { Clock, Random } from './clock.ts';

/** What a queue tells of itself as it goes; all times in milliseconds. */
export interface WorkQueueMetrics {
  /** A key became due that wasn't. */
  added(): void;
  /** A key was put back because it failed. */
  retried(): void;
  started(waitedMs: number): void;
  finished(workedMs: number): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Delays of keys that fail. Default: from 100 ms to 2 minutes. */
  readonly backoff?: BackoffLimits;
  readonly metrics?: WorkQueueMetrics;
}

interface Delayed {
  readonly at: number;
  readonly cancel: () => void;
}

/**
 * Keys to work on, with the semantics of client-go's work queue:
 *
 * - a key that waits already isn't added again, so a burst of events is one turn;
 * - no key is worked on twice at once: one that is added meanwhile waits until `done`, then has another turn;
 * - keys come out in the order in which they became due;
 * - of several delayed adds of a key the earliest counts.
 *
 * Unlike client-go's, a queue that is shut down drops what waits: whoever leads next lists everything anew.
 */
export class WorkQueue {
  /** Due and not yet taken, by when they became due. */
  readonly #due = new Map<string, number>();
  /** Taken and not yet done, by when they were taken. */
  readonly #processing = new Map<string, number>();
  /** Added while in processing. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #drained: (() => void)[] = [];
  readonly #options: Required<Omit<WorkQueueOptions, 'metrics'>>;
  readonly #metrics: WorkQueueMetrics | undefined;
  #closed = false;

  constructor({ clock, random, backoff = { baseMs: 100, maxMs: 120_000 }, metrics }: WorkQueueOptions) {
    this.#options = { clock, random, backoff };
    this.#metrics = metrics;
  }

  /** Keys that are due and wait for a worker. */
  get depth(): number {
    return this.#due.size;
  }

  /** How long the longest of the turns has lasted that go on; 0 without one. Milliseconds. */
  get longestRunningMs(): number {
    const now = this.#options.clock.now();
    return Math.max(0, ...Array.from(this.#processing.values(), (since) => now - since));
  }

  /** How often the key has failed since it was last forgotten. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  add(key: string): void {
    if (this.#closed || this.#due.has(key) || this.#again.has(key)) return;
    this.#metrics?.added();
    if (this.#processing.has(key)) this.#again.add(key);
    else this.#makeDue(key);
  }

  /** Adds the key once the delay is over, unless an earlier delayed add of it is pending. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) return this.add(key);
    const { clock } = this.#options;
    const at = clock.now() + ms;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.at <= at) return;
    pending?.cancel();
    const cancel = clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { at, cancel });
  }

  /** Counts a failure of the key and adds it after a delay that grows with their number. */
  addFailed(key: string): void {
    const failures = this.failures(key) + 1;
    this.#failures.set(key, failures);
    this.#metrics?.retried();
    this.addAfter(key, backoffDelay(failures, this.#options.backoff, this.#options.random));
  }

  /** Ends the count of failures: after a success, and when the object is gone. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, as soon as there is one; undefined once the queue is shut down. Each taken key must be `done`. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const next = this.#due.keys().next();
    if (next.done !== true) return Promise.resolve(this.#start(next.value));
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: string): void {
    const since = this.#processing.get(key);
    if (since === undefined) throw new RangeError(`${key} isn't being worked on`);
    this.#processing.delete(key);
    this.#metrics?.finished(this.#options.clock.now() - since);
    if (this.#again.delete(key) && !this.#closed) this.#makeDue(key);
    if (this.#closed && this.#processing.size === 0) for (const resolve of this.#drained.splice(0)) resolve();
  }

  /** Takes no more keys and drops those that wait. Resolves when no key is being worked on any more. */
  shutDown(): Promise<void> {
    this.#closed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#due.clear();
    this.#again.clear();
    for (const resolve of this.#takers.splice(0)) resolve(undefined);
    return this.#processing.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#drained.push(resolve));
  }

  #makeDue(key: string): void {
    this.#due.set(key, this.#options.clock.now());
    const taker = this.#takers.shift();
    if (taker !== undefined) taker(this.#start(key));
  }

  #start(key: string): string {
    const now = this.#options.clock.now();
    this.#metrics?.started(now - this.#due.get(key)!);
    this.#due.delete(key);
    this.#processing.set(key, now);
    return key;
  }
}
