import { openDataset, type Dataset } from '../data/dataset.ts';
import { LabelError } from '../data/errors.ts';
import { mapClasses } from '../data/labels.ts';
import type { FeatureSet } from '../evaluate/features.ts';
import { knnAccuracy } from '../evaluate/knn.ts';
import { byCodeUnits } from '../data/image-names.ts';
import { backboneFeatures, type TaskContext } from './backbone-features.ts';
import { FeatureFileError } from './errors.ts';
import { loadBackbone } from './load-backbone.ts';
import { readLabelledFeatures, type LabelledFeatures } from './read-features.ts';
import type { BackboneChoice, KnnResult, KnnTask } from './task.ts';

interface KnnSets {
  readonly bank: FeatureSet;
  readonly queries: FeatureSet;
  readonly classes: number;
}

/**
 * The accuracy of classifying each image of `val` by its nearest neighbours in `train`.
 *
 * @returns undefined when it was stopped
 * @throws FeatureFileError, LabelError, and what opening checkpoint and data sets throws
 */
export async function knn(context: TaskContext, task: KnnTask): Promise<KnnResult | undefined> {
  const { k, temperature, backbone } = task;
  const sets = backbone === undefined ? await setsOfFiles(task) : await setsOfImages(context, task, backbone);
  if (sets === undefined) return undefined;
  const { bank, queries, classes } = sets;
  const score = await knnAccuracy({ runtime: context.runtime, bank, classes, k, temperature }, queries);
  return { ...score, bank: bank.size, classes, k: Math.min(k, bank.size), temperature, dimension: bank.dimension };
}

async function setsOfFiles({ train, val }: KnnTask): Promise<KnnSets> {
  const [bank, queries] = [await readLabelledFeatures(train), await readLabelledFeatures(val)];
  if (bank.columns !== queries.columns) {
    throw new FeatureFileError(`${train} has ${bank.columns} features an image and ${val} ${queries.columns}`);
  }
  const classes = [...new Set(bank.labels)].sort(byCodeUnits);
  const own = [...new Set(queries.labels)];
  mapClasses(val, own, classes);
  return { bank: setOf(bank, classes), queries: setOf(queries, classes), classes: classes.length };
}

function setOf({ rows, columns, values, labels }: LabelledFeatures, classes: readonly string[]): FeatureSet {
  const numbers = new Map(classes.map((name, i) => [name, i]));
  return {
    ...{ size: rows, dimension: columns, features: values },
    labels: Int32Array.from(labels, (name) => numbers.get(name) ?? -1),
    indices: Int32Array.from({ length: rows }, (_, i) => i),
  };
}

async function setsOfImages(
  context: TaskContext,
  { train, val }: KnnTask,
  choice: BackboneChoice,
): Promise<KnnSets | undefined> {
  const onProgress = context.onAlive;
  const bankImages = await openDataset(train, { onProgress });
  requireLabels(bankImages);
  const queryImages = await openDataset(val, { onProgress, classes: bankImages.classes });
  requireLabels(queryImages);
  const backbone = await loadBackbone(context.runtime, choice);
  try {
    const bank = await backboneFeatures(context, backbone, bankImages, choice);
    const queries = bank && (await backboneFeatures(context, backbone, queryImages, choice));
    return bank && queries && { bank, queries, classes: bankImages.classes.length };
  } finally {
    backbone.extractor.state.dispose();
    await bankImages.close();
    await queryImages.close();
  }
}

function requireLabels({ uri, classes }: Dataset): void {
  if (classes.length === 0) {
    throw new LabelError(`${uri} has no labels, which kNN needs: give a folder with a subfolder for each class`);
  }
}
