import { workerContainer } from '../../api/worker.ts';
import { ApiError } from '../../operator/kube/errors.ts';
import type { Pod } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { type LogLine, mergeByTime, splitStamp } from './log-line.ts';
import { workerOf } from './workers.ts';

export interface LogOptions {
  /** Lines from the end of each log; all if undefined. */
  readonly tail?: number;
  /** Only of this worker. */
  readonly worker?: number;
  readonly stage?: string;
}

/** A day: a worker that says nothing is not dead. */
const silenceMs = 86_400_000;

/**
 * The logs of a run's workers, earlier pods of theirs included, merged by time.
 *
 * @param skip told of pods that have no log, and why
 */
export async function* readLogs(
  cluster: Cluster,
  run: string,
  options: LogOptions,
  skip: (message: string) => void,
): AsyncGenerator<LogLine, void> {
  const { metadata } = await cluster.run(run);
  const pods = selectPods(await cluster.pods(run, metadata.uid), options);
  yield* mergeByTime(pods.map((pod) => podLog(cluster, pod, { ...options, follow: false }, skip)));
}

/** The pods whose logs are wanted. */
export function selectPods(pods: readonly Pod[], { worker, stage }: LogOptions): Pod[] {
  return pods.filter((pod) => {
    const { index, stage: of } = workerOf(pod);
    return (worker === undefined || index === worker) && (stage === undefined || of === stage);
  });
}

/** Whether a pod can have a log. */
export function hasStarted({ status }: Pod): boolean {
  return status?.containerStatuses?.some(({ state }) => state?.waiting === undefined && state !== undefined) === true;
}

export function notStarted(pod: Pod): string {
  const { index, state, detail } = workerOf(pod);
  return `worker ${index} has no log: ${state}${detail === undefined ? '' : `: ${detail}`}`;
}

export interface PodLogOptions extends LogOptions {
  /** Go on until the container ends. */
  readonly follow: boolean;
  /** Only lines after this time. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

/** The log of a pod; none of one that hasn't started, or is gone. */
export async function* podLog(
  cluster: Cluster,
  pod: Pod,
  { tail, follow, after = '', signal }: PodLogOptions,
  skip: (message: string) => void,
): AsyncGenerator<LogLine, void> {
  // Of a pod without a node the API server gives an empty log.
  if (!hasStarted(pod)) return skip(notStarted(pod));
  const { index, stage } = workerOf(pod);
  const pieces = cluster.http.stream(
    {
      method: 'GET',
      path: `${cluster.podPath(pod.metadata.name)}/log`,
      // The server knows whole seconds only.
      query: { container: workerContainer, timestamps: true, follow, tailLines: tail, sinceTime: after || undefined },
      ...(signal && { signal }),
    },
    silenceMs,
  );
  try {
    for await (const line of linesOf(pieces)) {
      const { time, text } = splitStamp(line);
      if (time > after) yield { stage, worker: index, time, text };
    }
  } catch (thrown) {
    if (signal?.aborted === true) return;
    // 400: its container has only just begun; 404: the pod is gone by now.
    if (!(thrown instanceof ApiError) || (thrown.status !== 400 && thrown.status !== 404)) throw thrown;
    skip(notStarted(pod));
  }
}

async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
