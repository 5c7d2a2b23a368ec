import { isDeepStrictEqual } from 'node:util';
import type { Progress } from '../../api/worker.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { parseProgress } from './progress-schema.ts';

/** A pod that can be asked for its progress. */
export interface ScrapeTarget {
  readonly podUid: string;
  readonly podIp: string;
}

export interface ScraperOptions {
  /** `GET /progress`, parsed; undefined or an error if the worker doesn't answer in time. */
  readonly scrape: (podIp: string) => unknown;
  readonly clock: Clock;
  readonly random: Random;
  /** A worker has told something new. */
  readonly onProgress: (key: string) => void;
  readonly onScrape?: (answered: boolean) => void;
}

/** Time between two questions to a worker. Milliseconds. */
const periodMs = 15_000;
/** Questions that may be open at once; workers that don't answer hold up each other, and nothing else. */
const concurrency = 32;

interface Tracked {
  target: ScrapeTarget | undefined;
  report: { readonly podUid: string; readonly progress: Progress } | undefined;
  cancel: () => void;
}

/**
 * Asks the workers 0 of runs for their progress from time to time, beside all reconciling: a worker that is dead or slow
 * only means that nothing new is known.
 */
export class Scraper {
  readonly #options: ScraperOptions;
  readonly #tracked = new Map<string, Tracked>();
  readonly #waiting: (() => void)[] = [];
  #open = 0;

  constructor(options: ScraperOptions) {
    this.#options = options;
  }

  /** What the run's worker 0 told last, also after it has ended. */
  latest(key: string): Tracked['report'] {
    return this.#tracked.get(key)?.report;
  }

  /** Asks this pod from now on; none if undefined. */
  track(key: string, target: ScrapeTarget | undefined): void {
    const tracked = this.#tracked.get(key);
    if (tracked?.target?.podUid === target?.podUid) return;
    tracked?.cancel();
    const next: Tracked = { target, report: tracked?.report, cancel: () => {} };
    this.#tracked.set(key, next);
    if (target !== undefined) this.#askAfter(key, next, (periodMs / 5) * (1 + this.#options.random()));
  }

  forget(key: string): void {
    this.#tracked.get(key)?.cancel();
    this.#tracked.delete(key);
  }

  stop(): void {
    for (const key of [...this.#tracked.keys()]) this.forget(key);
  }

  #askAfter(key: string, tracked: Tracked, ms: number): void {
    tracked.cancel = this.#options.clock.after(ms, () => void this.#ask(key, tracked));
  }

  async #ask(key: string, tracked: Tracked): Promise<void> {
    const { onProgress, onScrape, random } = this.#options;
    const { podUid, podIp } = tracked.target!;
    const progress = await this.#progressOf(podIp);
    if (this.#tracked.get(key) !== tracked) return;
    onScrape?.(progress !== undefined);
    const isNews = progress !== undefined && !isSame(tracked.report, { podUid, progress });
    if (isNews) tracked.report = { podUid, progress };
    this.#askAfter(key, tracked, periodMs * (1 + random() / 10));
    if (isNews) onProgress(key);
  }

  async #progressOf(podIp: string): Promise<Progress | undefined> {
    if (this.#open >= concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#open++;
    try {
      return parseProgress(await this.#options.scrape(podIp));
    } catch {
      return undefined;
    } finally {
      // The place goes to the next one that waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#open--;
      else next();
    }
  }
}

/** Apart from the time of the last sign of life. */
function isSame(one: Tracked['report'], other: NonNullable<Tracked['report']>): boolean {
  if (one === undefined) return false;
  return isDeepStrictEqual(
    { ...one, progress: { ...one.progress, updatedAt: '' } },
    { ...other, progress: { ...other.progress, updatedAt: '' } },
  );
}
