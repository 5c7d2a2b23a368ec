import type { RunObject } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { RunFailedError } from './errors.ts';
import { follow } from './follow.ts';
import { Screen, type Terminal } from './screen.ts';
import { advanceSeries, noSeries } from './series.ts';
import { endOfRun, type Snapshot, takeSnapshot } from './snapshot.ts';
import { statusLines } from './status-text.ts';

const intervalMs = 2000;

/** Everything about a run, for machines. */
export function statusJson({ run, workers, progress }: Snapshot): object {
  const { managedFields: _, ...metadata } = run.metadata;
  return { run: { ...run, metadata }, workers, ...(progress && { progress }) };
}

/** Draws a run until it ends, or the signal aborts. @throws RunFailedError if it ends so */
export async function watchStatus(
  cluster: Cluster,
  name: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const screen = new Screen(terminal);
  let series = noSeries;
  let lines = [`asking ${cluster.server} …`];
  screen.draw(lines);
  try {
    const last = await follow({
      ...{ intervalMs, signal },
      look: () => takeSnapshot(cluster, name),
      show(snapshot) {
        series = advanceSeries(series, snapshot);
        lines = statusLines(snapshot, series, Date.now(), terminal.columns || 80);
        screen.draw(lines);
      },
      trouble: (message) => screen.draw([...lines, '', `asking again: ${message}`]),
      isOver: ({ run }) => endOfRun(run) !== undefined,
    });
    if (last !== undefined) throwIfFailed(last.run);
  } finally {
    screen.close();
  }
}

/**
 * Waits for the end of a run, off a terminal.
 *
 * @param tell called with every phase that is new
 * @throws RunFailedError
 */
export async function waitForEnd(
  cluster: Cluster,
  name: string,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let phase: string | undefined;
  const last = await follow({
    ...{ intervalMs, signal },
    look: () => cluster.run(name),
    show({ status }) {
      if (status?.phase === phase) return;
      phase = status?.phase;
      tell(phase ?? 'Pending');
    },
    trouble: tell,
    isOver: (run) => endOfRun(run) !== undefined,
  });
  if (last !== undefined) throwIfFailed(last);
}

function throwIfFailed({ metadata, status }: RunObject): void {
  const failed = status?.conditions?.find(({ type, status: is }) => type === 'Failed' && is === 'True');
  if (failed === undefined) return;
  throw new RunFailedError(
    `SimSiamRun ${metadata.name} has failed (${failed.reason}): ${failed.message}`,
    failed.reason,
  );
}
