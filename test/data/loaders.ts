import { augmentationSchema } from '../../api/augmentation.ts';
import type { Dataset } from '../../trainer/data/dataset.ts';
import { PretrainLoader } from '../../trainer/data/pretrain-loader.ts';
import type { PretrainBatch, PretrainLoaderOptions } from '../../trainer/data/pretrain-loader.ts';

/** A copy of a batch that outlives its buffer, in a form that tests can compare. */
export interface KeptBatch {
  readonly indices: number[];
  readonly views: readonly string[];
}

export function keep({ views, indices }: PretrainBatch): KeptBatch {
  return { indices: [...indices], views: views.map((view) => Buffer.from(view).toString('base64')) };
}

export function pretrainOptions(dataset: Dataset, options: Partial<PretrainLoaderOptions> = {}): PretrainLoaderOptions {
  return {
    dataset,
    seed: 3,
    batchSize: 8,
    rank: 0,
    world: 1,
    imageSize: 12,
    augmentation: augmentationSchema.parse({}),
    views: 2,
    threads: 1,
    maxBadImageFraction: 0,
    ...options,
  };
}

/** All batches of an epoch by a loader of its own. */
export async function epochOf(
  dataset: Dataset,
  options: Partial<PretrainLoaderOptions> = {},
  at: { readonly epoch?: number; readonly fromStep?: number } = {},
): Promise<KeptBatch[]> {
  const loader = new PretrainLoader(pretrainOptions(dataset, options));
  try {
    const batches: KeptBatch[] = [];
    for await (const batch of loader.epoch(at.epoch ?? 0, at.fromStep)) batches.push(keep(batch));
    return batches;
  } finally {
    await loader.close();
  }
}
