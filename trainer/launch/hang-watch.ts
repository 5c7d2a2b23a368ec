import type { Timers } from './timers.ts';

const ticksPerTimeout = 10;

/**
 * Calls back once when `beat` was not called for `timeoutMs`. Counts ticks instead of comparing clock times: a machine
 * that slept, or a launcher that was stopped (Ctrl-Z) together with its ranks, loses one tick only and no run.
 */
export class HangWatch {
  readonly #tickMs: number;
  readonly #timers: Timers;
  readonly #onHang: () => void;
  #silentTicks = 0;
  #cancel: () => void;

  constructor(timeoutMs: number, timers: Timers, onHang: () => void) {
    this.#tickMs = timeoutMs / ticksPerTimeout;
    this.#timers = timers;
    this.#onHang = onHang;
    this.#cancel = timers.after(this.#tickMs, () => this.#tick());
  }

  beat(): void {
    this.#silentTicks = 0;
  }

  close(): void {
    this.#cancel();
  }

  #tick(): void {
    this.#silentTicks += 1;
    if (this.#silentTicks >= ticksPerTimeout) this.#onHang();
    else this.#cancel = this.#timers.after(this.#tickMs, () => this.#tick());
  }
}
