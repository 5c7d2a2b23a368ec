import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { parseManifest } from '../../api/manifest.ts';
import { writeShard } from '../../trainer/data/write-shard.ts';
import type { RankContext } from '../../trainer/rank/context.ts';
import { RunData } from '../../trainer/rank/run-data.ts';
import { temporaryFolder } from '../data/images.ts';
import { tinyRun } from './fixtures/tiny-run.ts';

test('only the order of the images of pre-training gives a warning', async (t) => {
  const folder = await temporaryFolder(t);
  const shard = async (name: string, labelOf: (i: number) => number): Promise<string> => {
    const file = join(folder, name);
    const images = Array.from({ length: 240 }, (_, i) => ({ key: `${i}`, label: labelOf(i) }));
    await writeShard(
      file,
      images.map((image) => ({ ...image, extension: 'jpg', bytes: Buffer.from(image.key) })),
    );
    return file;
  };
  const sorted = await shard('sorted.tar', (i) => Math.floor(i / 60));
  const mixed = await shard('mixed.tar', (i) => i % 4);
  const warnings = async (train: string, val: string, epochs: number): Promise<readonly string[]> => {
    const manifest = tinyRun({
      storage: 'run',
      data: { train, val },
      pretrain: { epochs, ...(epochs === 0 && { initFrom: 'other' }) },
    });
    const run = parseManifest(JSON.stringify(manifest), 'the tiny run');
    // What a rank has of TensorFlow isn't asked for.
    const context = { run, runtime: { rank: 0, world: 1 }, loaderThreads: 1, send: () => {} } as unknown as RankContext;
    const data = await RunData.open(context);
    await data.close();
    return data.warnings();
  };
  assert.deepEqual(await warnings(mixed, sorted, 1), []);
  assert.deepEqual(await warnings(sorted, mixed, 0), []);
  const [warning, ...more] = await warnings(sorted, sorted, 1);
  assert.match(warning ?? '', /sorted\.tar lies sorted by class/);
  assert.deepEqual(more, []);
});
