import type { WorkQueue } from './work-queue.ts';

export interface Turn {
  /** When the key wants its next turn at the latest, in milliseconds. */
  readonly againAfterMs?: number;
}

export interface WorkersOptions {
  readonly queue: WorkQueue;
  /** How many keys are worked on at once. */
  readonly count: number;
  /** One turn. What it throws is reported, and the key has another turn after its back-off. */
  readonly work: (key: string) => Promise<Turn>;
  readonly onError: (key: string, thrown: unknown) => void;
}

/** Takes keys from the queue until it is shut down. Resolves when the last turn is over. */
export async function runWorkers({ queue, count, work, onError }: WorkersOptions): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      try {
        const { againAfterMs } = await work(key);
        queue.forget(key);
        if (againAfterMs !== undefined) queue.addAfter(key, againAfterMs);
      } catch (thrown) {
        onError(key, thrown);
        queue.addFailed(key);
      } finally {
        queue.done(key);
      }
    }
  };
  await Promise.all(Array.from({ length: count }, worker));
}
