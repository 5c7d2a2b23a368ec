import type { SimSiamRunStatus } from '../../api/run.ts';
import { ApiError } from '../kube/errors.ts';
import { Expectations } from '../kube/expectations.ts';
import type { RunObject } from '../kube/objects.ts';
import type { Turn } from '../kube/workers.ts';
import type { Scraper } from '../progress/scraper.ts';
import { clearVanished } from '../reconcile/clear-vanished.ts';
import type { Outcome } from '../reconcile/outcome.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { scrapeTarget } from '../reconcile/scrape-target.ts';
import { tellAction } from '../reconcile/tell-events.ts';
import type { Caches } from './caches.ts';
import type { Environment, Logger } from './environment.ts';
import { buildEvent } from './event-object.ts';
import { mergePatchOf } from './merge-patch.ts';
import { observe } from './observe.ts';
import { OwnTime } from './own-time.ts';
import { identityOf, perform, refOf, versionOf, type Hands } from './perform.ts';
import { Refusals } from './refusals.ts';

export interface RunControllerOptions {
  readonly environment: Environment;
  readonly caches: Caches;
  readonly scraper: Scraper;
  readonly newToken: () => string;
  readonly logger: Logger;
}

/** Time between two writes of a run's progress. Milliseconds. */
const progressMs = 30_000;

/** Turns of runs: what `reconcile` decides from the caches is done. */
export class RunController {
  readonly #options: RunControllerOptions;
  readonly #expectations: Expectations;
  readonly #refusals: Refusals;
  /** When each run's status was written last, in ms since 1970. */
  readonly #written = new Map<string, number>();

  constructor(options: RunControllerOptions) {
    const { environment, caches, logger } = options;
    const { clock } = environment;
    this.#options = options;
    this.#expectations = new Expectations({
      clock,
      caches: caches.byKind,
      onTimeout: (key, kind) => logger.warn({ run: key, kind }, 'a write has not shown in the cache for two minutes'),
    });
    this.#refusals = new Refusals(clock);
  }

  /** @param key `namespace/name` of a run */
  async turn(key: string): Promise<Turn> {
    const { environment, newToken } = this.#options;
    const ownTime = new OwnTime(environment.writer, environment.clock);
    try {
      return await this.#turn(key, { writer: ownTime.writer, expectations: this.#expectations, newToken });
    } finally {
      environment.metrics?.turnTook(ownTime.ms);
    }
  }

  async #turn(key: string, hands: Hands): Promise<Turn> {
    const { caches, scraper } = this.#options;
    const waitMs = hands.expectations.waitMs(key);
    if (waitMs !== undefined) return { againAfterMs: waitMs };
    const [namespace = '', name = ''] = key.split('/');
    const run = caches.runs.get(namespace, name);
    if (run === undefined) return this.#forget(key, hands);
    const observed = observe(caches, run, {
      report: scraper.latest(key),
      refusal: this.#refusals.get(key),
      progressFrom: (this.#written.get(key) ?? 0) + progressMs,
    });
    const outcome = reconcile(observed, this.#options.environment, this.#now);
    scraper.track(key, run.metadata.deletionTimestamp === undefined ? scrapeTarget(observed) : undefined);
    await this.#refusals.watch(key, () => this.#do(key, run, outcome, hands));
    return outcome.wakeAt === undefined ? {} : { againAfterMs: Math.max(0, outcome.wakeAt - this.#now) };
  }

  get #now(): number {
    return this.#options.environment.clock.date().getTime();
  }

  async #do(key: string, run: RunObject, { status, actions, events }: Outcome, hands: Hands): Promise<void> {
    const isNews = mergePatchOf(run.status ?? {}, status) !== undefined;
    // Even a status that stays is written before a Job is made: the server refuses it if the run has changed since.
    const isFenced = actions.some(({ type }) => type === 'create' || type === 'delete run');
    if (isNews || isFenced) await this.#writeStatus(key, run, status, hands);
    if (isNews) this.#noteWritten(key, run, status);
    for (const event of events) await this.#tell(key, run, event, hands);
    for (const action of actions) {
      this.#options.logger.info({ run: key, action: action.type, ...nameIn(action) }, 'acts');
      await perform(hands, key, run, action);
      for (const event of tellAction(action)) await this.#tell(key, run, event, hands);
    }
  }

  async #writeStatus(key: string, run: RunObject, status: SimSiamRunStatus, hands: Hands): Promise<void> {
    const { writer, expectations } = hands;
    const applied = await writer.applyStatus({ ...identityOf(run), status });
    expectations.wrote(key, applied);
    // An apply leaves what another client has set, and the next turn would be decided from it.
    const rest = mergePatchOf(applied.status, status);
    if (rest === undefined) return;
    this.#options.logger.warn({ run: key, fields: Object.keys(rest) }, 'another client wrote the status; taken back');
    const patch = { metadata: versionOf(applied), status: rest };
    expectations.wrote(key, await writer.patch(refOf(run), patch, { subresource: 'status' }));
  }

  #noteWritten(key: string, run: RunObject, status: SimSiamRunStatus): void {
    const { environment, logger } = this.#options;
    this.#written.set(key, this.#now);
    environment.metrics?.statusWritten(run.status, status);
    logger.debug({ run: key, phase: status.phase }, 'status written');
  }

  async #tell(key: string, run: RunObject, event: Outcome['events'][number], { writer }: Hands): Promise<void> {
    const { environment, logger } = this.#options;
    logger.info({ run: key, reason: event.reason }, event.message);
    try {
      await writer.create(buildEvent(run, event, this.#now, environment.random()));
    } catch (thrown) {
      // The status says the same; an event is not worth another turn.
      if (!(thrown instanceof ApiError)) throw thrown;
      logger.warn({ run: key, err: thrown }, 'an event could not be told');
    }
  }

  /** The run is gone. Its pods may hang on a node that is gone as well. */
  async #forget(key: string, hands: Hands): Promise<Turn> {
    const { caches, scraper } = this.#options;
    scraper.forget(key);
    this.#refusals.forget(key);
    this.#written.delete(key);
    const { actions, wakeAt } = clearVanished(caches.pods.by('run', key), this.#now);
    for (const action of actions) await perform(hands, key, undefined, action);
    if (actions.length === 0) hands.expectations.forget(key);
    return wakeAt === undefined ? {} : { againAfterMs: Math.max(0, wakeAt - this.#now) };
  }
}

function nameIn(action: Outcome['actions'][number]): { readonly name?: string } {
  if ('object' in action) return { name: `${action.object.kind}/${action.object.metadata.name}` };
  if ('job' in action) return { name: action.job.metadata.name };
  return 'pod' in action ? { name: action.pod.metadata.name } : {};
}
