import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { packLayer, unprivileged, writeArchive } from '../images/archive.ts';
import { makeAtomically } from '../setup/cache.ts';
import { goProgram } from '../tools/go-program.ts';
import { pauseImage } from './node-config.ts';

const folder = fileURLToPath(new URL('../../../scripts/cluster/pause', import.meta.url));

/**
 * The archive of the image that every pod starts with.
 * @throws SetupError if Go is missing or can't build it
 */
export async function pauseArchive(cache = cacheFolder()): Promise<string> {
  const built = await goProgram(
    { name: 'pause', version: '3.10', source: { folder }, purpose: 'to test on a cluster' },
    cache,
  );
  return programArchive(join(built, 'pause'), pauseImage, cache);
}

/**
 * The archive of an image with one static program and nothing else, kept in the cache.
 * @param program in a folder of the tools whose name says which version it is
 */
export async function programArchive(program: string, tag: string, cache = cacheFolder()): Promise<string> {
  const target = join(cache, 'images', `${basename(dirname(program))}-image`);
  const archive = join(target, 'image.tar');
  if (existsSync(archive)) return archive;
  const name = basename(program);
  await makeAtomically(target, cache, async (work) => {
    const tree = join(work, 'tree');
    const layer = join(work, 'layer.tar');
    await mkdir(tree, { recursive: true });
    await copyFile(program, join(tree, name));
    await packLayer(tree, layer);
    await writeArchive(join(work, 'image.tar'), { tags: [tag], layers: [layer], config: unprivileged(`/${name}`) });
  });
  return archive;
}
