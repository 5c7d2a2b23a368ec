import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeAtomically } from './cache.ts';
import type { Host } from './platform.ts';
import { wheelsFor } from './platform.ts';
import { tensorflowVersion, type Wheel } from './pins.ts';
import { unpackWheel } from './wheel.ts';

/** TensorFlow's C library in the cache. */
export interface LibTensorFlow {
  readonly wheels: readonly Wheel[];
  /** Root of the unpacked wheels: `tensorflow/` and, for GPUs, `nvidia/` beside it, where its run path looks. */
  readonly folder: string;
  /** Differs between any two sets of wheels. */
  readonly key: string;
}

/** Where a host's libtensorflow is (or will be) in the cache. */
export function libTensorFlow(host: Host, cache: string): LibTensorFlow {
  const wheels = wheelsFor(host);
  const digest = createHash('sha256')
    .update(wheels.map(({ sha256 }) => sha256).join())
    .digest('hex')
    .slice(0, 12);
  const key = `tensorflow-${tensorflowVersion}-${host.platform}-${host.arch}-${host.device}-${digest}`;
  return { wheels, key, folder: join(cache, key) };
}

/** Whether it is there. Folders appear in one step, so one that exists is whole. */
export function isUnpacked({ folder }: LibTensorFlow): boolean {
  return existsSync(folder);
}

/** Downloads and unpacks what is missing. */
export async function unpackLibTensorFlow(
  library: LibTensorFlow,
  cache: string,
  python: string,
  log: (line: string) => void,
): Promise<void> {
  await makeAtomically(library.folder, cache, async (work) => {
    await mkdir(work);
    for (const wheel of library.wheels) {
      log(`downloading ${wheel.name} ${wheel.version} (${wheel.megabytes} MB)`);
      await unpackWheel(wheel, work, python);
    }
    await showNccl(work);
  });
}

/**
 * TensorFlow looks for NCCL by name in its run path, which names the folders of CUDA's other libraries and not that of
 * NCCL. A link in one of those folders lets it be found.
 */
export async function showNccl(folder: string): Promise<void> {
  const library = 'nccl/lib/libnccl.so.2';
  if (!existsSync(join(folder, 'nvidia', library))) return;
  await symlink(join('../..', library), join(folder, 'nvidia/cudnn/lib/libnccl.so.2'));
}

/** Points `deps/` of tfjs-node's package at the library, where its addon and ours look at run time. */
export async function linkLibTensorFlow({ folder }: LibTensorFlow, tfjsPackage: string): Promise<void> {
  await linkTo(join(folder, 'tensorflow'), join(tfjsPackage, 'deps/lib'));
  await linkTo(join(folder, 'tensorflow/include'), join(tfjsPackage, 'deps/include'));
}

async function linkTo(target: string, link: string): Promise<void> {
  const present = await readlink(link).catch(() => undefined); // absent, or something else that has to go
  if (present === target) return;
  await rm(link, { recursive: true, force: true });
  await mkdir(dirname(link), { recursive: true });
  await symlink(target, link);
}
