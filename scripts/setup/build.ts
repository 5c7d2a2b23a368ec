import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, extname, join } from 'node:path';
import type { Addon } from './addons.ts';
import { nodeApiVersion } from './addons.ts';
import { makeAtomically } from './cache.ts';
import { SetupError } from './errors.ts';
import type { LibTensorFlow } from './libtensorflow.ts';
import { runProgram } from './process.ts';

const commonFlags = ['-std=c++17', '-O3', '-fPIC', '-pthread', `-DNAPI_VERSION=${nodeApiVersion}`];

/** What an addon is built from, and where the cache keeps the result. */
export interface BuildPlan {
  readonly addon: Addon;
  readonly objects: readonly { readonly source: string; readonly object: string; readonly args: readonly string[] }[];
  readonly linkArgs: readonly string[];
  /** The built addon in the cache. Its name is a digest of all inputs, so one that exists is up to date. */
  readonly built: string;
}

/** Where things are; all absolute. */
export interface Places {
  readonly root: string;
  readonly cache: string;
  readonly library: LibTensorFlow;
  /** Node's `process.platform` and `process.arch`. */
  readonly platform: string;
  readonly arch: string;
}

/** Plans the build of an addon: reads its sources and names each result by a digest of what it depends on. */
export async function planBuild(addon: Addon, { root, cache, library, platform, arch }: Places): Promise<BuildPlan> {
  const folder = join(root, addon.sources);
  const names = (await readdir(folder)).toSorted();
  const sources = names.filter((name) => extname(name) === '.cc');
  const headers = await Promise.all(
    names.filter((name) => extname(name) === '.h').map((name) => readFile(join(folder, name))),
  );
  const flags = [...commonFlags, ...addon.compileFlags];
  const context = addon.libTensorFlow === null ? `${platform}-${arch}` : library.key;
  const objects = await Promise.all(
    sources.map(async (name) => {
      const source = join(folder, name);
      const key = digest(flags.join(' '), context, ...headers, await readFile(source));
      const include = ['-I', join(root, 'node_modules/node-api-headers/include')];
      if (addon.libTensorFlow !== null) include.push('-isystem', join(library.folder, 'tensorflow/include'));
      return { source, object: join(cache, 'objects', `${key}.o`), args: [...flags, ...include, '-c', source] };
    }),
  );
  const linkArgs = linkFlags(addon, library, platform);
  const key = digest(addon.libTensorFlow ?? '', ...objects.map(({ object }) => object.slice(cache.length)));
  return { addon, objects, linkArgs, built: join(cache, 'addons', `${addon.name}-${key}.node`) };
}

function linkFlags(addon: Addon, library: LibTensorFlow, platform: string): string[] {
  const mac = platform === 'darwin';
  const flags = mac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-pthread'];
  if (addon.libTensorFlow === null) return flags;
  const libraries = ['libtensorflow_cc', 'libtensorflow_framework'].map((name) =>
    join(library.folder, 'tensorflow', mac ? `${name}.2.dylib` : `${name}.so.2`),
  );
  return [...flags, `-Wl,-rpath,${mac ? '@loader_path' : '$ORIGIN'}/${addon.libTensorFlow}`, ...libraries];
}

/**
 * Compiles what the cache lacks, files in parallel, then links.
 *
 * @throws SetupError when the compiler finds errors; its output is printed before
 */
export async function build(plans: readonly BuildPlan[], cache: string, compiler: string): Promise<void> {
  const missing = plans.flatMap(({ objects }) => objects.filter(({ object }) => !existsSync(object)));
  const compileRest = async (): Promise<void> => {
    for (let job = missing.shift(); job; job = missing.shift()) {
      const { args, source } = job;
      await makeAtomically(job.object, cache, (work) => compile(compiler, [...args, '-o', work], source));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, compileRest));
  for (const { addon, objects, linkArgs, built } of plans) {
    const inputs = objects.map(({ object }) => object);
    await makeAtomically(built, cache, (work) => compile(compiler, [...inputs, ...linkArgs, '-o', work], addon.output));
  }
}

async function compile(compiler: string, args: readonly string[], what: string): Promise<void> {
  const result = await runProgram(compiler, args);
  if (result?.stderr) process.stderr.write(result.stderr);
  if (result?.code !== 0) throw new SetupError(`${compiler} can't build ${what}: see its messages above`);
}

/** Copies a built addon to where it is loaded from, unless it is there. A running process keeps the one it has. */
export async function installAddon({ addon, built }: BuildPlan, root: string): Promise<void> {
  const output = join(root, addon.output);
  if (existsSync(output) && (await readFile(output)).equals(await readFile(built))) return;
  await mkdir(dirname(output), { recursive: true });
  const work = `${output}.${process.pid}`;
  await copyFile(built, work);
  await rename(work, output);
}

function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 24);
}
