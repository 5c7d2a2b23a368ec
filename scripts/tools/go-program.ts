import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeAtomically } from '../setup/cache.ts';
import { SetupError } from '../setup/errors.ts';
import { lastLine, runProgram } from '../setup/process.ts';
import { underLock } from './lock.ts';

/** A program in Go that tests use, built from its sources once for all clones of this machine. */
export interface GoProgram {
  readonly name: string;
  readonly version: string;
  /** The import path of its main package, or a folder of this checkout with a module of its own. */
  readonly source: { readonly importPath: string } | { readonly folder: string };
  readonly tags?: readonly string[];
  /** Variables set by the linker: versions that programs tell of themselves. */
  readonly variables?: Readonly<Record<string, string>>;
  /** More names of the program, for one that goes by the name it is called by. */
  readonly links?: readonly string[];
  /** What to say when Go is missing: what needs it. */
  readonly purpose: string;
}

/**
 * Builds a program, or finds it in the cache. Building takes minutes, so that it is told on the standard error; where
 * several processes want the same, one builds.
 *
 * @returns the folder with the program and its links
 * @throws SetupError if Go is missing or can't build it
 */
export async function goProgram(program: GoProgram, cache: string): Promise<string> {
  const folder = join(cache, 'tools', `${program.name}-${await cacheKey(program)}`);
  if (existsSync(folder)) return folder;
  return underLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return folder;
    console.error(`${program.name} ${program.version} is built with Go, once; this takes some minutes`);
    await makeAtomically(folder, cache, (work) => build(program, resolve(work)));
    return folder;
  });
}

/** The version, and where the sources are ours, a digest of them: another source is another program. */
async function cacheKey({ version, source }: GoProgram): Promise<string> {
  if ('importPath' in source) return version;
  const hash = createHash('sha256');
  for (const file of (await readdir(source.folder)).toSorted()) {
    hash.update(`${file}\0`).update(await readFile(join(source.folder, file)));
  }
  return `${version}-${hash.digest('hex').slice(0, 12)}`;
}

async function build(program: GoProgram, folder: string): Promise<void> {
  const { name, version, source, links = [], purpose } = program;
  const flags = ['-trimpath', '-buildvcs=false', `-tags=${(program.tags ?? []).join()}`, `-ldflags=${linked(program)}`];
  const command =
    'folder' in source
      ? ['build', '-C', source.folder, ...flags, '-o', join(folder, name), '.']
      : ['install', ...flags, `${source.importPath}@v${version}`];
  await mkdir(folder, { recursive: true });
  const built = await runProgram('go', command, { ...process.env, GOBIN: folder, CGO_ENABLED: '0' });
  if (built === undefined) {
    throw new SetupError(`go is missing: install it ${purpose} (apt-get install golang-go, or brew install go)`);
  }
  if (built.code !== 0) throw new SetupError(`go can't build ${name} ${version}: ${lastLine(built.stderr)}`);
  for (const link of links) await symlink(name, join(folder, link));
}

/**
 * The sources of a published module, for files of it that no program carries.
 *
 * @returns their folder, which is Go's own and is only read
 * @throws SetupError if Go is missing or can't fetch them
 */
export async function goSources(path: string, version: string): Promise<string> {
  const told = await runProgram('go', ['mod', 'download', '-json', `${path}@v${version}`]);
  if (told?.code !== 0) throw new SetupError(`go can't fetch ${path}@v${version}: ${told?.stdout ?? 'it is missing'}`);
  return (JSON.parse(told.stdout) as { Dir: string }).Dir;
}

function linked({ variables = {} }: GoProgram): string {
  return ['-s', '-w', ...Object.entries(variables).map(([name, value]) => `-X=${name}=${value}`)].join(' ');
}
