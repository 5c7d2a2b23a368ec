import { PreconditionFailedError } from '../../storage/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';

/** Adds one, `times` times, by compare-and-swap. */
export async function increment(store: ObjectStore, key: string, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const object = await store.get(key);
    const next = Buffer.from(`${Number(object?.bytes.toString() ?? 0) + 1}`);
    try {
      await store.put(key, next, { ifMatch: object?.version ?? null });
      done += 1;
    } catch (thrown) {
      if (!(thrown instanceof PreconditionFailedError)) throw thrown;
    }
  }
}
