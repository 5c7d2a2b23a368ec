import type { Logger } from 'pino';
import { pino } from 'pino';

import type { RunResult } from '../../api/run-result.ts';
import type { ProgressMessage, RunEvent, Stage } from './run-event.ts';
import type { ProgressView } from './progress-view.ts';

/** Between two `progress` lines within an epoch. */
const intervalMs = 30_000;

/**
 * Off a terminal: a JSON object a line, `{time, level, event, …}`, where event is `ranks`, `phase`, `progress` (the
 * first of a phase, at the end of an epoch and every 30 s), `checkpoint`, `warning`, `unreadable`, `stopping` or `result`, with several workers also
 * `waiting`, `generation`, `ended` and `restart`, and the rest is that of the message.
 */
export class JsonView implements ProgressView {
  readonly #log: Logger;
  readonly #now: () => number;
  #last: { stage: Stage; at: number } | undefined;

  /** `now`: milliseconds since 1970. */
  constructor(stream: { write(line: string): unknown }, now: () => number = Date.now) {
    this.#now = now;
    this.#log = pino(
      {
        base: null,
        timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
        formatters: { level: (level) => ({ level }) },
      },
      { write: (line) => void stream.write(line) },
    );
  }

  onEvent(event: RunEvent): void {
    // For the classic log; and for Prometheus, which sums it up.
    if (event.type === 'validation' || event.type === 'wait') return;
    // The first step after a start or a restart is news.
    if (event.type === 'phase') this.#last = undefined;
    if (event.type === 'progress' && !this.#isDue(event)) return;
    const { type, ...rest } = event;
    if (type === 'warning') this.#log.warn({ event: type, ...rest });
    else this.#log.info({ event: type, ...rest });
  }

  onResult(result: RunResult): void {
    this.#log.info({ event: 'result', ...result });
  }

  close(): void {
    // Every line is written at once: nothing is left to do.
  }

  #isDue({ stage, epochEnd }: ProgressMessage): boolean {
    const at = this.#now();
    const due = epochEnd || this.#last?.stage !== stage || at - this.#last.at >= intervalMs;
    if (due) this.#last = { stage, at };
    return due;
  }
}
