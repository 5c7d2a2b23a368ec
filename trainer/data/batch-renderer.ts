import { Piscina } from 'piscina';

import type { Dataset, SampleSource } from './dataset.ts';
import { cacheMemoryOf, isCached, type CacheMemory } from './decoded-cache.ts';
import { DataReadError } from './errors.ts';
import { augmentAddon } from './native-augment.ts';
import type { BadImage, RenderResult, RenderTask, ViewRecipe } from './render-task.ts';

/** Images of a message at most: enough to make the message's cost vanish, few enough to share them out evenly. */
const mostImagesOfTask = 64;

/** Nobody looks for the bytes of an image that is decoded. */
const decoded: SampleSource = { bad: 'is not in the cache' };

/** Renders batches on worker threads. The bytes don't depend on their number. */
export class BatchRenderer {
  readonly #dataset: Dataset;
  readonly #threads: number;
  readonly #pool: Piscina<RenderTask, RenderResult>;
  readonly #running = new Set<Promise<unknown>>();

  constructor(dataset: Dataset, threads: number) {
    // A missing addon is told here, where its error keeps its class, and not once a thread.
    augmentAddon();
    this.#dataset = dataset;
    this.#threads = threads;
    this.#pool = new Piscina({
      filename: new URL('render-thread.cjs', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      maxQueue: Infinity,
    });
  }

  /**
   * Renders image `indices[i]` to slot `slots[i]` of a batch buffer (uint8 [views, batch, size, size, 3] in shared
   * memory) and returns the images that are bad, by slot.
   *
   * @throws DataReadError when the disk fails, and the storage errors of a data set that is fetched
   */
  async render(
    recipe: ViewRecipe,
    indices: Int32Array,
    slots: Int32Array,
    target: { readonly out: Uint8Array; readonly batch: number },
  ): Promise<BadImage[]> {
    const cache = cacheMemoryOf(this.#dataset);
    const share = Math.max(1, Math.min(mostImagesOfTask, Math.ceil(indices.length / (2 * this.#threads))));
    const tasks: Promise<RenderResult>[] = [];
    for (let from = 0; from < indices.length; from += share) {
      const part = indices.slice(from, from + share);
      const place = { recipe, cache, indices: part, slots: slots.slice(from, from + share), ...target };
      tasks.push(this.#sources(part, cache).then((sources) => this.#run({ ...place, sources })));
    }
    // All must have ended before anyone may touch the buffer again, even if one fails.
    const results = await Promise.allSettled(tasks);
    return results.flatMap((result) => {
      if (result.status === 'rejected') throw result.reason;
      const { bad, readFailure } = result.value;
      if (readFailure !== null) throw new DataReadError(`${this.#dataset.uri} can't be read: ${readFailure}`);
      return bad;
    });
  }

  /**
   * Ends the threads, once what they work on is done: a thread that is ended while it loads or calls a native decoder
   * takes the whole process with it.
   */
  async close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#pool.destroy();
  }

  /** Fetches what is fetched; not what is decoded already. */
  async #sources(indices: Int32Array, cache: CacheMemory): Promise<SampleSource[]> {
    return await Promise.all(
      Array.from(indices, async (index) => (isCached(cache, index) ? decoded : await this.#dataset.source(index))),
    );
  }

  #run(task: RenderTask): Promise<RenderResult> {
    const result = this.#pool.run(task);
    this.#running.add(result);
    const forget = (): void => void this.#running.delete(result);
    result.then(forget, forget);
    return result;
  }
}
