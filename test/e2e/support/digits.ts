import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../../scripts/cluster/system.ts';
import { cacheFolder } from '../../../storage/cache-folder.ts';
import { fetchMnist5k } from '../../../trainer/data/fetch-mnist5k.ts';

/** Images of each shard that is made. */
const counts = { train: 240, val: 96 } as const;

/** Makes `train.tar` and `val.tar` in a folder: real digits, the first ones of MNIST's shards. */
export async function writeDigits(folder: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'simsiam-digits-'));
  await fetchMnist5k({ folder: work, cache: cacheFolder() });
  await mkdir(folder, { recursive: true });
  for (const [split, count] of Object.entries(counts)) {
    const files = join(work, split);
    await mkdir(files);
    await must('tar', '--extract', '--file', join(work, `${split}-000.tar`), '--directory', files);
    // An image and its class each.
    const names = (await readdir(files)).toSorted().slice(0, 2 * count);
    await must('tar', '--create', '--file', join(folder, `${split}.tar`), '--directory', files, ...names);
  }
  await rm(work, { recursive: true });
}
