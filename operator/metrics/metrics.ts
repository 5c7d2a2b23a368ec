import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { SimSiamRunStatus } from '../../api/run.ts';
import { phases } from '../../api/status.ts';
import type { Interruption } from '../kube/reflector.ts';
import type { WorkQueueMetrics } from '../kube/work-queue.ts';

/** What a metric is read from when it is scraped. */
export interface Readings {
  readonly queueDepth: () => number;
  readonly longestTurnMs: () => number;
  readonly isLeader: () => boolean;
  readonly phases: () => Iterable<string>;
}

/** Metrics of the operator. Labels take few values, which are known before: kinds, phases, classes, outcomes. */
export class OperatorMetrics {
  readonly registry = new Registry();
  readonly queue: WorkQueueMetrics;
  readonly #interruptions: Counter<'kind' | 'reason'>;
  readonly #scrapes: Counter<'outcome'>;
  readonly #failures: Counter<'class'>;
  readonly #statusWrites: Counter;
  readonly #requests: Counter<'verb' | 'kind' | 'outcome'>;
  readonly #turns: Histogram;

  constructor() {
    const registers = [this.registry];
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
      new Counter({ name: `simsiam_operator_${name}`, help, labelNames, registers });
    const seconds = (name: string, help: string, buckets = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 5, 20, 60]): Histogram =>
      new Histogram({ name: `simsiam_operator_${name}`, help, registers, buckets });
    const waited = seconds('queue_wait_seconds', 'Time that a run waited for its turn.');
    const worked = seconds('reconcile_seconds', "Time of a turn of a run, the API server's answers included.");
    const added = counter('queue_adds_total', 'Runs that became due.');
    const retried = counter('retries_total', 'Turns that failed and are repeated after a delay.');
    this.queue = {
      added: () => added.inc(),
      retried: () => retried.inc(),
      started: (ms) => waited.observe(ms / 1000),
      finished: (ms) => worked.observe(ms / 1000),
    };
    this.#turns = seconds(
      'reconcile_own_seconds',
      'Time of a turn of a run, without waiting for the API server.',
      [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1],
    );
    this.#interruptions = counter('watch_restarts_total', 'Watches that ended, and lists that failed, by why.', [
      'kind',
      'reason',
    ]);
    this.#scrapes = counter('scrapes_total', "Questions to workers for a run's progress.", ['outcome']);
    this.#failures = counter('worker_failures_total', 'Failures of workers by class, as status.restarts counts them.', [
      'class',
    ]);
    this.#statusWrites = counter('status_writes_total', 'Writes of a status.');
    this.#requests = counter('writes_total', 'Changes that were sent to the API server.', ['verb', 'kind', 'outcome']);
  }

  /** Adds what is read from the operator's parts. */
  read({ queueDepth, longestTurnMs, isLeader, phases: present }: Readings): void {
    const gauge = (name: string, help: string, value: () => number): Gauge =>
      new Gauge({
        ...{ name: `simsiam_operator_${name}`, help, registers: [this.registry] },
        collect() {
          this.set(value());
        },
      });
    gauge('queue_depth', 'Runs that are due and wait for their turn.', queueDepth);
    gauge(
      'longest_turn_seconds',
      'How long the longest of the turns has lasted that go on.',
      () => longestTurnMs() / 1000,
    );
    gauge('leader', '1 in the replica that leads.', () => Number(isLeader()));
    const runs = new Gauge({
      ...{ name: 'simsiam_operator_runs', help: 'Runs by phase.', labelNames: ['phase'], registers: [] },
      collect() {
        for (const phase of phases) this.set({ phase }, 0);
        for (const phase of present()) this.inc({ phase });
      },
    });
    this.registry.registerMetric(runs);
  }

  /** @param ms without the API server's time */
  turnTook(ms: number): void {
    this.#turns.observe(ms / 1000);
  }

  watchInterrupted(kind: string, reason: Interruption): void {
    this.#interruptions.inc({ kind, reason });
  }

  scraped(answered: boolean): void {
    this.#scrapes.inc({ outcome: answered ? 'answered' : 'failed' });
  }

  wrote(verb: string, kind: string, outcome: 'ok' | 'conflict' | 'error'): void {
    this.#requests.inc({ verb, kind, outcome });
  }

  statusWritten(before: SimSiamRunStatus | undefined, after: SimSiamRunStatus): void {
    this.#statusWrites.inc();
    for (const [name, number] of Object.entries(after.restarts ?? {})) {
      if (name === 'total') continue;
      const known = before?.restarts?.[name as 'crash'] ?? 0;
      if (number > known) this.#failures.inc({ class: name }, number - known);
    }
  }
}
