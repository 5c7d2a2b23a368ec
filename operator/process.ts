import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { collectDefaultMetrics } from 'prom-client';
import { exitCode, type ExitCode } from '../api/exit-codes.ts';
import { createOperator } from './controller/operator.ts';
import type { Logger } from './controller/environment.ts';
import type { OperatorFlags } from './flags.ts';
import { HttpServer } from './http-server.ts';
import { pause, systemClock } from './kube/clock.ts';
import { Http } from './kube/http.ts';
import { KubeClient } from './kube/kube-client.ts';
import { loadConnection } from './kube/kube-config.ts';
import { KubeListWatch } from './kube/kube-list-watch.ts';
import { LeaderElection } from './kube/leader-election.ts';
import { KubeLeaseClient } from './kube/lease-client.ts';
import { countedWriter } from './metrics/counted-writer.ts';
import { OperatorMetrics } from './metrics/metrics.ts';
import { fetchProgress } from './progress/fetch-progress.ts';

export interface ProcessOptions {
  readonly flags: OperatorFlags;
  readonly logger: Logger;
  /** Stops the process in good order. */
  readonly signal: AbortSignal;
}

/** A turn that takes longer hangs; requests give up long before. Milliseconds. */
const wedgedMs = 600_000;
/** Turns that take longer are cut off by the end of the lead. Milliseconds. */
const longestEndMs = 2000;

/**
 * The operator on a real API server: follows it from the start, reconciles while it leads, and gives the lead back at its
 * end.
 *
 * @returns the exit code: a process that has lost the lead ends, so that nothing of it goes on
 * @throws KubeConfigError, OperatorPortError
 */
export async function runProcess({ flags, logger, signal }: ProcessOptions): Promise<ExitCode> {
  const clock = systemClock;
  const random = Math.random;
  const connection = loadConnection(flags.kubeconfig === undefined ? {} : { file: flags.kubeconfig });
  const http = new Http(connection, clock);
  const metrics = new OperatorMetrics();
  collectDefaultMetrics({ register: metrics.registry });
  const identity = `${hostname()}-${randomBytes(4).toString('hex')}`;
  const working = new AbortController();
  let work: Promise<void> | undefined;
  const election = new LeaderElection({
    ...{ clock, random, identity },
    leases: new KubeLeaseClient(http, flags.leaseNamespace ?? connection.namespace, flags.leaseName),
    onElected: () => {
      logger.info({ identity }, 'leads');
      work = operator.work(working.signal);
    },
    onFailure: (thrown) => logger.warn({ err: thrown }, 'the lease could not be taken or renewed'),
  });
  const client = new KubeClient({ http, clock, random, isLeader: () => election.isLeader });
  const operator = createOperator({
    ...{ clock, random, logger, metrics },
    writer: countedWriter(client, metrics),
    listWatch: (selection) => new KubeListWatch(http, selection),
    scrape: fetchProgress,
    image: flags.trainerImage,
    workers: flags.workers,
    ...(flags.readers !== undefined && { readers: flags.readers }),
    ...(flags.namespace !== undefined && { namespace: flags.namespace }),
  });
  metrics.read({
    queueDepth: () => operator.queue.depth,
    longestTurnMs: () => operator.queue.longestRunningMs,
    isLeader: () => election.isLeader,
    phases: () => Array.from(operator.caches.runs.values(), ({ status }) => status?.phase ?? 'Pending'),
  });
  const server = await HttpServer.listen({
    port: flags.httpPort,
    isReady: operator.caches.haveSynced,
    isWedged: () => operator.queue.longestRunningMs > wedgedMs,
    metrics: metrics.registry,
  });
  logger.info({ server: connection.server, namespace: flags.namespace ?? 'all', port: server.port }, 'starts');

  const following = new AbortController();
  const caches = operator.follow(following.signal);
  // Turns that have begun are finished while the lease is still held, if that doesn't keep the next leader waiting.
  const electing = new AbortController();
  const stop = async (): Promise<void> => {
    working.abort();
    await Promise.race([work, pause(clock, longestEndMs, following.signal)]);
    electing.abort();
  };
  signal.addEventListener('abort', () => void stop());
  if (signal.aborted) void stop();
  const end = await election.run(electing.signal);
  working.abort();
  following.abort();
  // Who has lost the lead can't write any more: its turns end by themselves, and nothing waits for them.
  if (end !== 'lost') await caches;
  server.close();
  http.close();
  logger.info({ end }, 'ends');
  return end === 'lost' ? exitCode.peersLost : exitCode.done;
}
