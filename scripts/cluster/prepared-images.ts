import { copyFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clusterFolder, type Node } from './layout.ts';
import { containerdConfig } from './node-config.ts';
import { makeFolders, must } from './system.ts';

const script = fileURLToPath(new URL('../../../scripts/cluster/prepared-images.sh', import.meta.url));
const prepared = join(clusterFolder, 'images');

/** Imports images once, for all nodes that start afterwards. */
export async function prepareImages(archives: readonly string[]): Promise<void> {
  await makeFolders(prepared);
  const config = join(prepared, 'containerd.toml');
  await writeFile(config, containerdConfig(prepared));
  await must('unshare', '--mount', '--propagation', 'private', '--', script, config, ...archives);
}

/**
 * Gives a node a containerd with the prepared images: hard links to what is never written again, layers and their
 * unpacked files, and copies of its databases. So an image of a gigabyte is on the disk, and in the page cache, once.
 */
export async function takeImages(node: Node): Promise<void> {
  await must('cp', '--archive', '--link', join(prepared, 'containerd'), node.folder);
  const root = join(node.folder, 'containerd');
  for (const plugin of await readdir(root)) {
    for (const file of await readdir(join(root, plugin)).catch(() => [])) {
      if (!file.endsWith('.db')) continue;
      const path = join(root, plugin, file);
      await copyFile(path, `${path}.own`);
      await rename(`${path}.own`, path);
    }
  }
}
