import { encodeJson } from '../checkpoint/json.ts';
import { openDataset } from '../data/dataset.ts';
import { writeNew } from '../interchange/write-new.ts';
import { featureBatches, type TaskContext } from './backbone-features.ts';
import { FeatureFile, featureFormatOf, namesFileOf, refuseExisting } from './feature-file.ts';
import { loadBackbone } from './load-backbone.ts';
import type { EmbedResult, EmbedTask } from './task.ts';

/**
 * Writes the backbone's pooled features of all images of a data set, a row each in the order of their paths, and beside
 * them a JSON file with paths and labels. Nothing is left when it fails.
 *
 * @returns undefined when it was stopped
 * @throws FeatureFileError, and what opening checkpoint and data set throws
 */
export async function embed(context: TaskContext, task: EmbedTask): Promise<EmbedResult | undefined> {
  const names = namesFileOf(task.output);
  featureFormatOf(task.output);
  await refuseExisting(task.output);
  await refuseExisting(names);
  const dataset = await openDataset(task.data, { onProgress: context.onAlive });
  const backbone = await loadBackbone(context.runtime, task);
  const { arch, imageSize, extractor } = backbone;
  const labelled = dataset.classes.length > 0;
  const file = await FeatureFile.create(task.output, extractor.dimension, labelled);
  try {
    const indices: number[] = [];
    for await (const batch of featureBatches(context, backbone, dataset, task)) {
      if (context.stop.aborted) return undefined;
      for (const index of batch.indices) indices.push(index);
      await file.append(batch.features);
    }
    const labels = Int32Array.from(indices, (index) => dataset.label(index));
    const kept = new Set(indices);
    const skipped = Array.from({ length: dataset.size }, (_, i) => i)
      .filter((i) => !kept.has(i))
      .map((i) => dataset.name(i));
    const listing = {
      ...{ checkpoint: task.checkpoint, arch, imageSize, dimension: extractor.dimension, data: task.data },
      paths: indices.map((index) => dataset.name(index)),
      ...(labelled ? { classes: [...dataset.classes], labels: [...labels] } : {}),
      skipped,
    };
    await writeNew(names, [encodeJson(listing)]);
    await file.commit(labels);
    const { output } = task;
    return { output, names, arch, images: indices.length, dimension: extractor.dimension, imageSize, skipped };
  } finally {
    await file.discard();
    extractor.state.dispose();
    await dataset.close();
  }
}
