import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The original's `DATA`: a folder with `train/` and `val/`. What has no `train/` are the training images themselves: a
 * folder of unlabelled ones, tar shards.
 */
export async function dataOf(data: string): Promise<{ readonly train: string; readonly val?: string }> {
  const [train, val] = [join(data, 'train'), join(data, 'val')];
  if (!(await isFolder(train))) return { train: data };
  return (await isFolder(val)) ? { train, val } : { train };
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
