interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  readonly background: boolean;
}

/** Virtual time and its timers. Timers of one instant run in the order in which they were set. */
export class VirtualTime {
  /** Ms since 1970. */
  now = Date.UTC(2026, 0, 1);
  #timers: Timer[] = [];
  #order = 0;

  /**
   * @param background a timer that alone keeps no simulation going, such as a periodic look
   * @returns takes the timer back
   */
  after(ms: number, run: () => void, background = false): () => void {
    const timer = { at: this.now + Math.max(0, ms), order: this.#order++, run, background };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(this.#timers[middle]!, timer)) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      const place = this.#timers.indexOf(timer);
      if (place >= 0) this.#timers.splice(place, 1);
    };
  }

  /** Whether nothing is left to happen but looks in the background. */
  get idle(): boolean {
    return this.#timers.every(({ background }) => background);
  }

  get next(): number | undefined {
    return this.#timers[0]?.at;
  }

  /** Goes on to the next timer and runs it. */
  step(): void {
    const timer = this.#timers.shift();
    if (timer === undefined) return;
    this.now = timer.at;
    timer.run();
  }
}

const isBefore = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);
