import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Packages that aren't modules call `require`, which a module doesn't have. */
const requireForModules = `import { createRequire } from 'node:module';const require = createRequire(import.meta.url);`;

/**
 * Writes a compiled script of `root` and all that it reaches, packages too, to one module `file`; what nothing uses is left
 * out.
 *
 * @returns the folders of the packages that are in it, from `root`, such as `node_modules/zod`
 */
export async function bundle(root: string, script: string, file: string): Promise<{ readonly packages: string[] }> {
  const { metafile } = await build({
    ...{ absWorkingDir: root, entryPoints: [script], outfile: file, metafile: true, logLevel: 'warning' },
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', keepNames: true },
    banner: { js: requireForModules },
  });
  const packages = new Set<string>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
      if (folder !== undefined && bytesInOutput > 0) packages.add(folder);
    }
  }
  return { packages: [...packages].toSorted() };
}

/** The text of a package's licence; its name where it comes without one. */
export async function licenceOf(folder: string): Promise<string> {
  const file = (await readdir(folder)).find((name) => /^(licen[cs]e|copying)/i.test(name));
  if (file !== undefined) return readFile(join(folder, file), 'utf8');
  const { license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { license?: string };
  return license ?? 'no licence is named';
}
