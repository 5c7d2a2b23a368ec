import { randomBytes } from 'node:crypto';
import { SimSiamError } from '../../api/errors.ts';
import { ApiError, NotLeaderError } from '../kube/errors.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { runWorkers } from '../kube/workers.ts';
import { Scraper } from '../progress/scraper.ts';
import { openCaches, type Caches } from './caches.ts';
import { type Environment, silentLogger } from './environment.ts';
import { RunController } from './run-controller.ts';

/** An operator process, whatever its environment is. */
export interface Operator {
  readonly caches: Caches;
  readonly queue: WorkQueue;
  /** Follows the API server, which needs no leadership; returns when the signal aborts. */
  readonly follow: (signal: AbortSignal) => Promise<void>;
  /** Reconciles until the signal aborts; then the turns that have begun are finished. */
  readonly work: (signal: AbortSignal) => Promise<void>;
}

/** Puts the parts together: caches tell which runs have changed, workers take them from the queue. */
export function createOperator(environment: Environment): Operator {
  const { clock, random, metrics, logger = silentLogger, workers = 8 } = environment;
  const { newToken = () => randomBytes(32).toString('base64url') } = environment;
  const queue = new WorkQueue({ clock, random, ...(metrics !== undefined && { metrics: metrics.queue }) });
  const caches = openCaches(environment, logger, (key) => queue.add(key));
  const scraper = new Scraper({
    ...{ clock, random },
    scrape: (podIp) => environment.scrape(podIp),
    onProgress: (key) => queue.add(key),
    onScrape: (answered) => metrics?.scraped(answered),
  });
  const controller = new RunController({ environment, caches, scraper, newToken, logger });
  const onError = (key: string, thrown: unknown): void => {
    if (isStale(thrown)) logger.debug({ run: key, err: thrown }, 'decided from an old state; decides again');
    // What the API server says needs no stack; anything else is a defect.
    else if (thrown instanceof SimSiamError) logger.warn({ run: key, code: thrown.code }, thrown.message);
    else logger.error({ run: key, err: thrown }, 'a turn failed');
  };
  return {
    caches,
    queue,
    follow: (signal) => caches.run(signal),
    work: async (signal) => {
      if (!(await caches.synced)) return;
      signal.addEventListener('abort', () => void queue.shutDown());
      if (signal.aborted) void queue.shutDown();
      await runWorkers({ queue, count: workers, work: (key) => controller.turn(key), onError });
      scraper.stop();
    },
  };
}

/** Starts an operator that leads: it runs until the signal aborts. */
export async function runOperator(environment: Environment, signal: AbortSignal): Promise<void> {
  const operator = createOperator(environment);
  await Promise.all([operator.follow(signal), operator.work(signal)]);
}

function isStale(thrown: unknown): boolean {
  if (thrown instanceof NotLeaderError) return true;
  return thrown instanceof ApiError && (thrown.status === 404 || thrown.status === 409);
}
