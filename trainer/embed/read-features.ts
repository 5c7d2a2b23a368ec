import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import { messageOf } from '../../api/errors.ts';
import { jsonOf } from '../checkpoint/manifest.ts';
import { decodeSafetensors } from '../checkpoint/safetensors.ts';
import { floatsOf } from '../checkpoint/tensors.ts';
import { FeatureFileError } from './errors.ts';
import { featureFormatOf, namesFileOf } from './feature-file.ts';
import { decodeNpy, type NpyMatrix } from './npy.ts';

/** Features of a labelled set, as `embed` wrote them. */
export interface LabelledFeatures extends NpyMatrix {
  /** [rows]: the name of each row's class. */
  readonly labels: readonly string[];
}

const namesSchema = z.object({
  paths: z.array(z.string()),
  classes: z.array(z.string()).optional(),
  labels: z.array(z.int().min(0)).optional(),
});

/**
 * Reads a file of features and the JSON file beside it.
 *
 * @throws FeatureFileError where either is missing or damaged, they don't fit each other, or there are no labels
 */
export async function readLabelledFeatures(path: string): Promise<LabelledFeatures> {
  featureFormatOf(path);
  const bytes = await read(path);
  const matrix = path.endsWith('.npy') ? decodeNpy(bytes, path) : matrixOf(bytes, path);
  const names = namesFileOf(path);
  const { success, data } = namesSchema.safeParse(jsonOf(await read(names)));
  if (!success) throw new FeatureFileError(`${names} is not what \`simsiam embed\` writes beside ${path}`);
  const { labels, classes, paths } = data;
  if (labels === undefined || classes === undefined) {
    throw new FeatureFileError(
      `${names} has no labels, which kNN needs: embed a folder with a subfolder for each class`,
    );
  }
  if (labels.length !== matrix.rows || paths.length !== matrix.rows) {
    throw new FeatureFileError(`${names} has ${labels.length} labels and ${path} ${matrix.rows} rows: embed it again`);
  }
  const outside = labels.find((label) => label >= classes.length);
  if (outside !== undefined)
    throw new FeatureFileError(`${names} has a label ${outside} and ${classes.length} classes`);
  return { ...matrix, labels: labels.map((label) => classes[label]!) };
}

function matrixOf(bytes: Buffer, path: string): NpyMatrix {
  const features = decodeSafetensors(bytes).tensors.find(({ name }) => name === 'features');
  const [rows = 0, columns = 0] = features?.shape ?? [];
  if (features?.dtype !== 'F32' || features.shape.length !== 2) {
    throw new FeatureFileError(`${path} has no float32 matrix "features"`);
  }
  return { rows, columns, values: floatsOf(features.bytes) };
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (thrown) {
    throw new FeatureFileError(`${path} can't be read: ${messageOf(thrown)}`, { cause: thrown });
  }
}
