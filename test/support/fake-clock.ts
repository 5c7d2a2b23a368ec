import type { Clock } from '../../operator/kube/clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that goes on when it is told to. */
export class FakeClock implements Clock {
  #now = 1000;
  #timers: Timer[] = [];
  /** How many callbacks were ever asked for. */
  scheduled = 0;

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.#now);
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), callback };
    this.scheduled++;
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many callbacks wait for their time. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets time pass: calls back what becomes due, in order, and lets the promises that hang on it settle each time. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at);
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.callback();
      await settle();
    }
    this.#now = end;
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    return next;
  }
}

/** Lets all promises settle that wait for nothing but each other. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
