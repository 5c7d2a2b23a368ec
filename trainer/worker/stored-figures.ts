import type { StoredText } from '../../api/worker.ts';
import type { ObjectReader } from '../../storage/object-store.ts';

/**
 * What a worker hands out of its run's store: histories, timings, the result, and the records that lead to them. No
 * weights and no images, and no manifest, whose environment may hold more than figures: pods of others reach it too.
 */
const figures = new RegExp(
  '^(?:result\\.json|pretrain/timings\\.jsonl|(?:pretrain|linear)/(?:latest\\.json|history/step-\\d+-g\\d+\\.jsonl|' +
    'checkpoints/step-\\d+-g\\d+/(?:manifest|state)\\.json))$',
);

/**
 * A file with figures.
 *
 * @returns undefined for any other key
 * @throws the storage errors
 */
export async function storedFigures(store: ObjectReader, key: string): Promise<StoredText | undefined> {
  if (!figures.test(key)) return undefined;
  const object = await store.get(key);
  return object === undefined ? {} : { text: object.bytes.toString('utf8') };
}
