import { chmod, copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { tfjsPackage } from '../setup/addons.ts';
import { images, type ImageName } from './contents.ts';
import { type LockedPackage, packageClosure } from './package-closure.ts';

/** Where the program lies in its image. */
const home = 'opt/simsiam';

/**
 * Lays the files of an image, besides its base, out in `folder`: `/opt/simsiam` with compiled code and packages, and
 * the program on the path. The checkout must be set up; nothing is downloaded.
 */
export async function stageImage(root: string, name: ImageName, folder: string): Promise<void> {
  const { rooms, assets, packages, native, program } = images[name];
  const target = join(folder, home);
  await rm(folder, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await copyFile(join(root, 'LICENSE'), join(target, 'LICENSE'));
  await writeManifest(root, target);
  for (const room of rooms) await copyCode(join(root, 'dist', room), join(target, 'dist', room));
  for (const folder of assets) await cp(join(root, folder), join(target, folder), { recursive: true });
  const lockfile = JSON.parse(await readFile(join(root, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  for (const path of packageClosure(packages, lockfile.packages)) await copyCode(join(root, path), join(target, path));
  if (native) await copyNative(root, target);
  const bin = join(folder, 'usr/local/bin');
  await mkdir(bin, { recursive: true });
  // The image has no shell and no env: the kernel starts Node itself.
  await writeFile(join(bin, program.name), `#!/usr/local/bin/node\nimport('/${home}/${program.script}');\n`);
  await chmod(join(bin, program.name), 0o755);
}

/** Node wants `type: module` beside the code; the version is what the program tells. */
async function writeManifest(root: string, target: string): Promise<void> {
  const { name, version, license, type } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  await writeFile(join(target, 'package.json'), `${JSON.stringify({ name, version, license, type })}\n`);
}

/** Without what only developers read, and without packages inside packages, which are copied for themselves. */
async function copyCode(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    filter: (path) =>
      path === from || !(basename(path) === 'node_modules' || /\.(map|d\.[cm]?ts|tsbuildinfo)$/.test(path)),
  });
}

/** The addons look for TensorFlow's libraries in the package of tfjs-node, where a checkout has a link to a cache. */
async function copyNative(root: string, target: string): Promise<void> {
  await cp(join(root, 'dist/native'), join(target, 'dist/native'), { recursive: true });
  const deps = join(target, tfjsPackage, 'deps');
  await rm(deps, { recursive: true, force: true });
  await cp(join(root, tfjsPackage, 'deps/lib'), join(deps, 'lib'), {
    recursive: true,
    dereference: true,
    filter: (path) => basename(path) !== 'include',
  });
}
