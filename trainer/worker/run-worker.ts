import { workerPaths, workerPorts } from '../../api/worker.ts';
import { openStore } from '../../storage/open-store.ts';
import type { LaunchOutcome } from '../launch/launcher.ts';
import { isLoopback, launchNode, type NodeOptions } from '../rendezvous/node.ts';
import { isComplete } from './completion.ts';
import { readWorkerPlace } from './environment.ts';
import { RunMetrics } from './run-metrics.ts';
import { terminationMessage, writeTerminationMessage } from './termination-message.ts';

export interface WorkerOptions extends Pick<NodeOptions, 'onEvent' | 'stop' | 'kill' | 'program'> {
  readonly env: NodeJS.ProcessEnv;
  /** Default: `workerPorts.http`. 0 for a free one. */
  readonly httpPort?: number;
  /** Default: `workerPaths.terminationMessage`. */
  readonly terminationFile?: string;
}

/**
 * The launcher of a worker's pod: one stage of a run, together with the pods of its other workers.
 * @throws WorkerEnvironmentError, ManifestError, MetricsPortError, and what `launchNode` throws
 */
export async function runWorker(options: WorkerOptions): Promise<LaunchOutcome> {
  const { env, onEvent, stop, kill, program } = options;
  let metrics: RunMetrics | undefined;
  let index: number | undefined;
  let thrown: unknown;
  try {
    const { run, stage, runUid, rendezvous, token, podIp, ...place } = await readWorkerPlace(env);
    index = place.index;
    const host = isLoopback(podIp) ? podIp : undefined;
    const store = await openStore(run.spec.storage);
    metrics = await RunMetrics.serve(options.httpPort ?? workerPorts.http, host, stage, store);
    return await launchNode({
      ...{ run, index, rendezvous, stop, kill, program, stages: [stage], address: podIp },
      identity: { run: runUid, stage, workers: run.spec.workers, token },
      remade: true,
      isComplete: () => isComplete(run, [stage]),
      onMessage: () => metrics?.onMessage(),
      onEvent: (event) => {
        metrics?.onEvent(event);
        onEvent(event);
      },
    });
  } catch (error) {
    thrown = error;
    throw error;
  } finally {
    metrics?.close();
    const text = terminationMessage(thrown, index === 0 ? metrics?.report.progress : undefined);
    const problem = await writeTerminationMessage(options.terminationFile ?? workerPaths.terminationMessage, text);
    if (problem) onEvent({ type: 'warning', code: 'TERMINATION_MESSAGE', message: `not written: ${problem}` });
  }
}
