import type { Sample } from '../checkpoint/sample.ts';
import { thumbnailsOf } from '../data/thumbnails.ts';
import type { IndexedBatch } from '../evaluate/batches.ts';
import type { FeatureExtractor } from '../evaluate/extractor.ts';
import { extractFeatures } from '../evaluate/features.ts';
import type { RankContext } from './context.ts';
import type { RunData } from './run-data.ts';

/**
 * The features and thumbnails of some images, chosen by the seed. One rank does it alone and meets no other in a
 * collective.
 *
 * @param step Finished steps of pre-training.
 */
export async function takeSample(
  { runtime, run, send }: RankContext,
  data: RunData,
  extractor: FeatureExtractor,
  step: number,
): Promise<Sample> {
  const { dataset, set, shape, batches } = data.sample();
  const pictures = new Map<number, Uint8Array>();
  const { imageSize } = run.spec.pretrain;
  const features = await extractFeatures({
    ...{ runtime, extractor, shape, of: 'own' },
    loader: keepingPictures(batches, pictures, imageSize),
    onBatch: () => send({ type: 'alive' }),
  });
  const indices = [...features.indices];
  return {
    ...{ step, set, classes: dataset.classes, labels: features.labels },
    ...{ dimension: features.dimension, features: features.features },
    names: indices.map((index) => dataset.name(index)),
    thumbnails: indices.map((index) => pictures.get(index)!),
  };
}

/** The same batches; keeps a thumbnail of each image by its place in the data set. */
async function* keepingPictures(
  batches: AsyncIterable<IndexedBatch>,
  pictures: Map<number, Uint8Array>,
  size: number,
): AsyncGenerator<IndexedBatch> {
  for await (const batch of batches) {
    const thumbnails = await thumbnailsOf(batch.images, size);
    batch.indices.forEach((index, slot) => {
      if (index >= 0) pictures.set(index, thumbnails[slot]!);
    });
    yield batch;
  }
}
