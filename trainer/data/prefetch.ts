/** Batches that are being made while one is used. */
const ahead = 2;

/** Buffers that {@link prefetch} needs: one in use, the others being filled. */
export const prefetchBuffers = ahead + 1;

/**
 * Yields the results of `make(step, buffer)` for the steps [from, to) in order, and has the next ones made meanwhile.
 * A result may lie in its buffer: it is valid until the next one is asked for. When this generator ends, early or not,
 * no buffer is being written any more.
 */
export async function* prefetch<Buffer, Result>(
  from: number,
  to: number,
  buffers: readonly Buffer[],
  make: (step: number, buffer: Buffer) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const pending: Promise<Result>[] = [];
  const free = [...buffers];
  const inOrder: Buffer[] = [];
  let next = from;
  const start = () => {
    while (next < to) {
      const buffer = free.shift();
      if (buffer === undefined) return;
      const result = make(next, buffer);
      // Whoever awaits it sees the failure; until then it isn't unhandled.
      result.catch(() => undefined);
      pending.push(result);
      inOrder.push(buffer);
      next += 1;
    }
  };
  try {
    start();
    for (let result = pending.shift(); result !== undefined; result = pending.shift()) {
      yield await result;
      const used = inOrder.shift();
      if (used !== undefined) free.push(used);
      start();
    }
  } finally {
    await Promise.allSettled(pending);
  }
}
