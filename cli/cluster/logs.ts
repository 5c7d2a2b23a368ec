import { setTimeout as pause } from 'node:timers/promises';
import { workerContainer } from '../../api/worker.ts';
import { ApiError } from '../../operator/kube/errors.ts';
import type { Pod } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { type LogLine, mergeByTime, splitStamp } from './log-line.ts';
import { endOfRun } from './snapshot.ts';
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
const intervalMs = 2000;

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

/** The same and what comes, in the order in which it comes, of new pods too, until the run ends or the signal aborts. */
export async function followLogs(
  cluster: Cluster,
  name: string,
  options: LogOptions,
  { write, skip, signal }: { write: (line: LogLine) => void; skip: (message: string) => void; signal: AbortSignal },
): Promise<void> {
  const followed = new Map<string, Promise<void>>();
  const told = new Set<string>();
  const once = (message: string): void => {
    if (!told.has(message)) skip(message);
    told.add(message);
  };
  while (!signal.aborted) {
    const run = await cluster.run(name);
    for (const pod of selectPods(await cluster.pods(name, run.metadata.uid), options)) {
      if (followed.has(pod.metadata.name)) continue;
      if (!hasStarted(pod)) once(notStarted(pod));
      else
        followed.set(pod.metadata.name, copy(podLog(cluster, pod, { ...options, follow: true, signal }, once), write));
    }
    if (endOfRun(run) !== undefined) break;
    await pause(intervalMs, undefined, { signal }).catch(() => {});
  }
  await Promise.all(followed.values());
}

async function copy(log: AsyncIterable<LogLine>, write: (line: LogLine) => void): Promise<void> {
  for await (const line of log) write(line);
}

function selectPods(pods: readonly Pod[], { worker, stage }: LogOptions): Pod[] {
  return pods.filter((pod) => {
    const { index, stage: of } = workerOf(pod);
    return (worker === undefined || index === worker) && (stage === undefined || of === stage);
  });
}

function hasStarted({ status }: Pod): boolean {
  return status?.containerStatuses?.some(({ state }) => state?.waiting === undefined && state !== undefined) === true;
}

function notStarted(pod: Pod): string {
  const { index, state, detail } = workerOf(pod);
  return `worker ${index} has no log: ${state}${detail === undefined ? '' : `: ${detail}`}`;
}

type PodLogOptions = LogOptions & { readonly follow: boolean; readonly signal?: AbortSignal };

async function* podLog(
  cluster: Cluster,
  pod: Pod,
  { tail, follow, signal }: PodLogOptions,
  skip: (message: string) => void,
): AsyncGenerator<LogLine, void> {
  // Of a pod without a node the API server gives an empty log.
  if (!hasStarted(pod)) return skip(notStarted(pod));
  const { index, stage } = workerOf(pod);
  const pieces = cluster.http.stream(
    {
      method: 'GET',
      path: `${cluster.podPath(pod.metadata.name)}/log`,
      query: { container: workerContainer, timestamps: true, follow, tailLines: tail },
      ...(signal && { signal }),
    },
    silenceMs,
  );
  try {
    for await (const line of linesOf(pieces)) yield { stage, worker: index, ...splitStamp(line) };
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
