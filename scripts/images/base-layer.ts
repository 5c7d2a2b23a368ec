import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAtomically } from '../setup/cache.ts';
import { SetupError } from '../setup/errors.ts';
import { lastLine, runProgram } from '../setup/process.ts';
import { packLayer } from './archive.ts';

/** The C library that Node and TensorFlow link to, certificates, time zones: no shell, no package manager. */
const packages = ['libstdc++6', 'libgcc-s1', 'ca-certificates', 'base-files', 'netbase', 'tzdata'];
const suite = 'bookworm';

/**
 * The lower layers of the images where no container engine pulls a base: a few Debian packages, unpacked, and the Node
 * that runs this. Kept in the cache.
 *
 * @returns tar files, the lowest first
 * @throws SetupError without mmdebstrap, or where it fails
 */
export async function baseLayers(cache: string): Promise<readonly string[]> {
  const key = createHash('sha256')
    .update([suite, ...packages, process.version, process.arch].join())
    .digest('hex')
    .slice(0, 12);
  const folder = join(cache, 'images', `base-${key}`);
  const layers = [join(folder, 'debian.tar'), join(folder, 'node.tar')];
  if (existsSync(folder)) return layers;
  await makeAtomically(folder, cache, async (work) => {
    const tree = join(work, 'tree');
    await mkdir(tree, { recursive: true });
    const args = ['--variant=extract', `--include=${packages.join()}`, suite, tree];
    const made = await runProgram('mmdebstrap', args, { ...process.env, SOURCE_DATE_EPOCH: '0' });
    if (made === undefined) {
      throw new SetupError(
        'no docker or buildah, and mmdebstrap is missing: apt-get install mmdebstrap, or install docker',
      );
    }
    if (made.code !== 0) throw new SetupError(`mmdebstrap failed: ${lastLine(made.stderr)}`);
    for (const unwanted of ['dev', 'usr/share/doc', 'usr/share/man', 'var/lib/apt', 'var/cache', 'var/log'])
      await rm(join(tree, unwanted), { recursive: true, force: true });
    await packLayer(tree, join(work, 'debian.tar'));
    await rm(tree, { recursive: true });
    await mkdir(join(tree, 'usr/local/bin'), { recursive: true });
    await copyFile(process.execPath, join(tree, 'usr/local/bin/node'));
    await chmod(join(tree, 'usr/local/bin/node'), 0o755);
    await packLayer(tree, join(work, 'node.tar'));
    await rm(tree, { recursive: true });
  });
  return layers;
}
