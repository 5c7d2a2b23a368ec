import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { packLayer, writeArchive } from '../images/archive.ts';
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
  const target = join(cache, 'images', basename(built));
  const archive = join(target, 'pause.tar');
  if (existsSync(archive)) return archive;
  await makeAtomically(target, cache, async (work) => {
    const tree = join(work, 'tree');
    const layer = join(work, 'layer.tar');
    await mkdir(tree, { recursive: true });
    await copyFile(join(built, 'pause'), join(tree, 'pause'));
    await packLayer(tree, layer);
    await writeArchive(join(work, 'pause.tar'), { tag: pauseImage, layers: [layer], entrypoint: ['/pause'] });
  });
  return archive;
}
