import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { underLock } from '../scripts/tools/lock.ts';
import { cacheFolder } from '../storage/cache-folder.ts';

const sources = fileURLToPath(new URL('../../bench/pytorch/', import.meta.url));

/** Path of a script of bench/pytorch, by its name without the ending. */
export function pytorchScript(name: string): string {
  return join(sources, `${name}.py`);
}

/**
 * The Python of an environment that holds what bench/pytorch/requirements.txt pins. It lies in the cache, never in the
 * repository; pins that have changed are installed over it. Benchmarks that start at once wait for the one that installs.
 * Throws when Python or pip fail, which say why themselves.
 */
export async function pytorchPython(): Promise<string> {
  const folder = join(cacheFolder(), 'bench-venv');
  await underLock(`${folder}.lock`, () => install(folder));
  return join(folder, 'bin/python');
}

async function install(folder: string): Promise<void> {
  const stamp = join(folder, 'requirements.txt');
  const requirements = join(sources, 'requirements.txt');
  const wanted = await readFile(requirements, 'utf8');
  const made = await readFile(stamp, 'utf8').catch(() => undefined);
  if (made === wanted) return;
  console.log(`bench: installing PyTorch in ${folder} (a few gigabytes, once)`);
  if (made === undefined) {
    await rm(folder, { recursive: true, force: true });
    await runVisibly(process.env.PYTHON || 'python3', ['-m', 'venv', folder]);
  }
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await runVisibly(join(folder, 'bin/python'), [...pip, '-r', requirements]);
  await writeFile(stamp, wanted); // last, so that an interrupted installation is done again
}

/** Runs a program with the terminal passed through. Throws when it fails. */
export async function runVisibly(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} failed`);
}
