import { setTimeout as pause } from 'node:timers/promises';
import { workerContainer } from '../../api/worker.ts';
import type { Pod } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { mayPass } from './follow.ts';
import type { LogLine } from './log-line.ts';
import { hasStarted, type LogOptions, notStarted, podLog, selectPods } from './logs.ts';
import { endOfRun } from './snapshot.ts';

export interface LogFollower {
  readonly write: (line: LogLine) => void;
  /** Told of pods that have no log yet, and of an API server that is away. */
  readonly tell: (message: string) => void;
  readonly signal: AbortSignal;
}

/** How far the log of a pod is read. */
interface Reading {
  /** Time of the last line. */
  last: string;
  /** The stream that is open, until it ends. */
  open: Promise<void> | undefined;
  /** It was opened when the container, or the run, had ended: there is nothing more to come. */
  isWhole: boolean;
}

const intervalMs = 2000;

/**
 * The logs of a run's workers as they come, of new pods too, until the run ends or the signal aborts. A stream that breaks,
 * or that a server ends early, is opened again after the last line that was read.
 */
export async function followLogs(
  cluster: Cluster,
  name: string,
  options: LogOptions,
  { write, tell, signal }: LogFollower,
): Promise<void> {
  const readings = new Map<string, Reading>();
  const failures: unknown[] = [];
  const told = new Set<string>();
  const tellOnce = (message: string): void => {
    if (!told.has(message)) tell(message);
    told.add(message);
  };
  const noteFailure = (thrown: unknown): void => {
    if (mayPass(thrown)) tellOnce((thrown as Error).message);
    else failures.push(thrown);
  };

  const read = async (pod: Pod, reading: Reading, isLast: boolean): Promise<void> => {
    const { tail, ...which } = options;
    const from = reading.last === '' ? tail !== undefined && { tail } : { after: reading.last };
    for await (const line of podLog(cluster, pod, { ...which, ...from, follow: true, signal }, tellOnce)) {
      reading.last = line.time;
      write(line);
    }
    reading.isWhole = isLast;
  };

  /** Opens the logs that aren't. Returns whether there is nothing more to come. */
  const look = async (): Promise<boolean> => {
    const run = await cluster.run(name);
    const pods = selectPods(await cluster.pods(name, run.metadata.uid), options);
    const isOver = endOfRun(run) !== undefined;
    for (const pod of pods) {
      const reading = readings.get(pod.metadata.name) ?? { last: '', open: undefined, isWhole: false };
      if (!hasStarted(pod)) tellOnce(notStarted(pod));
      else if (reading.open === undefined && !reading.isWhole) {
        readings.set(pod.metadata.name, reading);
        reading.open = read(pod, reading, hasEnded(pod) || isOver)
          .catch(noteFailure)
          .finally(() => (reading.open = undefined));
      }
    }
    const started = pods.filter(hasStarted).map(({ metadata }) => readings.get(metadata.name));
    return isOver && started.every((reading) => reading?.isWhole === true);
  };

  let isDone = false;
  while (!isDone && !signal.aborted && failures.length === 0) {
    try {
      isDone = await look();
    } catch (thrown) {
      noteFailure(thrown);
    }
    if (!isDone) await pause(intervalMs, undefined, { signal }).catch(() => {});
  }
  if (failures.length > 0) throw failures[0];
}

function hasEnded({ status }: Pod): boolean {
  const container = status?.containerStatuses?.find(({ name }) => name === workerContainer);
  return container?.state?.terminated !== undefined;
}
