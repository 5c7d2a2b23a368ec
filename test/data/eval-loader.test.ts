import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { openDataset } from '../../trainer/data/dataset.ts';
import type { Dataset } from '../../trainer/data/dataset.ts';
import { EvalLoader } from '../../trainer/data/eval-loader.ts';
import type { EvalLoaderOptions } from '../../trainer/data/eval-loader.ts';
import { writeShard } from '../../trainer/data/write-shard.ts';
import { encodedNoise, temporaryFolder, writeFiles } from './images.ts';

const size = 10;

interface Evaluation {
  readonly steps: number;
  /** Image → its pixels and label. */
  readonly seen: Map<number, { label: number; pixels: string }>;
  readonly masked: number;
  readonly bad: number;
}

async function evaluate(dataset: Dataset, options: Partial<EvalLoaderOptions> = {}): Promise<Evaluation> {
  const loader = new EvalLoader({
    dataset,
    batchSize: 4,
    rank: 0,
    world: 1,
    imageSize: size,
    threads: 2,
    maxBadImageFraction: 0,
    ...options,
  });
  try {
    const seen = new Map<number, { label: number; pixels: string }>();
    let [steps, masked] = [0, 0];
    for await (const { images, labels, indices, mask } of loader.batches()) {
      steps += 1;
      assert.deepEqual([labels.length, indices.length, mask.length], [4, 4, 4]);
      for (const [slot, index] of indices.entries()) {
        assert.equal(mask[slot], index < 0 ? 0 : 1);
        masked += index < 0 ? 1 : 0;
        if (index < 0) continue;
        assert.ok(!seen.has(index), `image ${index} comes twice`);
        const pixels = Buffer.from(images.subarray(slot * size * size * 3, (slot + 1) * size * size * 3));
        seen.set(index, { label: labels[slot] ?? -2, pixels: pixels.toString('base64') });
      }
    }
    assert.equal(steps, loader.steps);
    return { steps, seen, masked, bad: loader.badImages };
  } finally {
    await loader.close();
  }
}

async function labelledSet(folder: string, count: number): Promise<Dataset> {
  for (let i = 0; i < count; i++) {
    await writeFiles(folder, { [`${i % 2}/${String(i).padStart(3, '0')}.jpg`]: await encodedNoise(i) });
  }
  return openDataset(folder);
}

for (const { count, world } of [
  { count: 13, world: 1 },
  { count: 13, world: 3 },
  { count: 9, world: 2 },
  { count: 2, world: 3 },
]) {
  test(`${world} ranks see each of ${count} images once, in as many steps each`, async (t) => {
    const dataset = await labelledSet(await temporaryFolder(t), count);
    const ranks = [];
    for (let rank = 0; rank < world; rank++) ranks.push(await evaluate(dataset, { rank, world }));
    assert.equal(new Set(ranks.map(({ steps }) => steps)).size, 1);
    const seen = ranks.flatMap((rank) => [...rank.seen]);
    assert.deepEqual(
      seen.map(([index]) => index).toSorted((a, b) => a - b),
      Array.from({ length: count }, (_, i) => i),
    );
    for (const [index, { label }] of seen) assert.equal(label, dataset.label(index));
  });
}

test('shards and a folder give the same pixels', async (t) => {
  const folder = await temporaryFolder(t);
  const set = await labelledSet(join(folder, 'set'), 6);
  const entries = await Promise.all(
    Array.from({ length: 6 }, async (_, i) => ({
      key: `k${i}`,
      extension: 'jpg',
      bytes: Buffer.from(await set.read(i)),
      label: set.label(i),
    })),
  );
  await writeShard(join(folder, 's-0.tar'), entries.slice(0, 4));
  await writeShard(join(folder, 's-1.tar'), entries.slice(4));
  const shards = await openDataset(join(folder, 's-{0..1}.tar'));
  t.after(() => shards.close());
  assert.deepEqual((await evaluate(shards)).seen, (await evaluate(set)).seen);
});

test('a subset comes in its order', async (t) => {
  const dataset = await labelledSet(await temporaryFolder(t), 9);
  const { seen } = await evaluate(dataset, { subset: Int32Array.of(7, 2, 5) });
  assert.deepEqual([...seen.keys()], [7, 2, 5]);
});

test('a bad image is masked and counted; too many end it', async (t) => {
  const folder = await temporaryFolder(t);
  await labelledSet(folder, 8);
  await writeFiles(folder, { '0/002.jpg': 'not an image' });
  const dataset = await openDataset(folder);
  const { seen, masked, bad } = await evaluate(dataset, { maxBadImageFraction: 0.2 });
  assert.deepEqual([seen.size, masked, bad], [7, 1, 1]);
  await assert.rejects(evaluate(dataset), { code: 'DATA_TOO_MANY_BAD', message: /0\/002\.jpg/ });
});
