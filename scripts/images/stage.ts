import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { tfjsPackage } from '../setup/addons.ts';
import { bundle, licenceOf } from './bundle.ts';
import { type ImageContents, type ImageName, images } from './contents.ts';
import { type LockedPackage, packageClosure } from './package-closure.ts';

/** Where the program lies in its image. */
export const home = 'opt/simsiam';

/** The layers of an image above its base, the lowest first: what changes least comes first, and is fetched once. */
export const layers = ['tensorflow', 'packages', 'program'] as const;

/**
 * Lays the files of an image, besides its base, out in `folder`, a folder for each layer: `/opt/simsiam` with compiled
 * code and packages, and the program on the path. The checkout must be set up; nothing is downloaded.
 */
export async function stageImage(root: string, name: ImageName, folder: string): Promise<void> {
  const { files, program }: ImageContents = images[name];
  await rm(folder, { recursive: true, force: true });
  const [tensorflow, packed, code] = layers.map((layer) => join(folder, layer, home)) as [string, string, string];
  for (const target of [tensorflow, packed, code]) await mkdir(target, { recursive: true });
  if (files === undefined) {
    await bundleProgram(root, program.script, code);
  } else {
    await copyPackages(root, files.packages, packed);
    await rm(join(packed, tfjsPackage, 'deps'), { recursive: true, force: true });
    if (files.native) await copyTensorFlow(root, tensorflow);
    if (files.native) await cp(join(root, 'dist/native'), join(code, 'dist/native'), { recursive: true });
    await copyProgram(root, files, code);
  }
  const bin = join(folder, 'program/usr/local/bin');
  await mkdir(bin, { recursive: true });
  // The image has no shell and no env: the kernel starts Node itself.
  const node = ['/usr/local/bin/node', ...(program.nodeFlag === undefined ? [] : [program.nodeFlag])].join(' ');
  await writeFile(join(bin, program.name), `#!${node}\nimport('/${home}/${program.script}');\n`);
  await chmod(join(bin, program.name), 0o755);
}

/** Packages and all that they depend on, as `node_modules` of `target`. */
export async function copyPackages(root: string, packages: readonly string[], target: string): Promise<void> {
  const lockfile = JSON.parse(await readFile(join(root, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  for (const path of packageClosure(packages, lockfile.packages)) await copyCode(join(root, path), join(target, path));
}

/** Compiled rooms and their assets, with the licence and what Node must know of them. */
export async function copyProgram(
  root: string,
  { rooms, assets }: { readonly rooms: readonly string[]; readonly assets: readonly string[] },
  target: string,
): Promise<void> {
  await writeManifest(root, target);
  for (const room of rooms) await copyCode(join(root, 'dist', room), join(target, 'dist', room));
  for (const asset of assets) await cp(join(root, asset), join(target, asset), { recursive: true });
}

/** The licence, and what Node must know: it wants `type: module` beside the code. */
async function writeManifest(root: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await copyFile(join(root, 'LICENSE'), join(target, 'LICENSE'));
  const { name, version, license, type } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  await writeFile(join(target, 'package.json'), `${JSON.stringify({ name, version, license, type })}\n`);
}

/** A compiled script and what it uses of its packages as one file in its place, with the packages' licences. */
async function bundleProgram(root: string, script: string, target: string): Promise<void> {
  await writeManifest(root, target);
  const { packages } = await bundle(root, script, join(target, script));
  const licences = await Promise.all(packages.map(async (name) => `${name}\n\n${await licenceOf(join(root, name))}`));
  await writeFile(join(target, 'THIRD-PARTY-LICENSES'), licences.join(`\n${'-'.repeat(80)}\n`));
}

/** Without what only developers read, and without packages inside packages, which are copied for themselves. */
async function copyCode(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    filter: (path) =>
      path === from || !(basename(path) === 'node_modules' || /\.(map|d\.[cm]?ts|tsbuildinfo)$/.test(path)),
  });
}

/**
 * The addons look for TensorFlow's libraries in the package of tfjs-node, where a checkout has a link to a cache; and
 * TensorFlow looks for CUDA's beside its own folder.
 */
async function copyTensorFlow(root: string, target: string): Promise<void> {
  const libraries = await realpath(join(root, tfjsPackage, 'deps/lib'));
  const deps = join(target, tfjsPackage, 'deps');
  const filter = (path: string) => basename(path) !== 'include';
  await cp(libraries, join(deps, 'lib'), { recursive: true, dereference: true, filter });
  const cuda = join(dirname(libraries), 'nvidia');
  if (existsSync(cuda)) await cp(cuda, join(deps, 'nvidia'), { recursive: true, dereference: true, filter });
}
