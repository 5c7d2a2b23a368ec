import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { openDataset } from '../../trainer/data/dataset.ts';
import type { Dataset } from '../../trainer/data/dataset.ts';
import { labelledPart } from '../../trainer/data/labelled-part.ts';
import { LinearLoader } from '../../trainer/data/linear-loader.ts';
import type { LinearLoaderOptions } from '../../trainer/data/linear-loader.ts';
import { encodedNoise, temporaryFolder, writeFiles } from './images.ts';

interface KeptBatch {
  readonly labels: number[];
  readonly mask: number[];
  readonly count: number;
  readonly globalCount: number;
  readonly images: string;
}

const size = 8;

async function epochOf(
  dataset: Dataset,
  options: Partial<LinearLoaderOptions> = {},
  at: { readonly epoch?: number; readonly fromStep?: number } = {},
): Promise<KeptBatch[]> {
  const loader = new LinearLoader({
    dataset,
    seed: 1,
    batchSize: 6,
    rank: 0,
    world: 1,
    imageSize: size,
    cropScale: [0.08, 1],
    flipProbability: 0.5,
    threads: 2,
    maxBadImageFraction: 0.2,
    ...options,
  });
  try {
    const batches: KeptBatch[] = [];
    for await (const { images, labels, mask, count, globalCount } of loader.epoch(at.epoch ?? 0, at.fromStep)) {
      const present = Buffer.from(images.subarray(0, count * size * size * 3)).toString('base64');
      batches.push({ labels: [...labels], mask: [...mask], count, globalCount, images: present });
    }
    return batches;
  } finally {
    await loader.close();
  }
}

async function labelledSet(folder: string, count: number): Promise<Dataset> {
  for (let i = 0; i < count; i++) {
    await writeFiles(folder, { [`class${i % 3}/${String(i).padStart(3, '0')}.jpg`]: await encodedNoise(i) });
  }
  return openDataset(folder);
}

test('every image once an epoch, the last batch smaller and padded', async (t) => {
  const dataset = await labelledSet(await temporaryFolder(t), 15);
  const batches = await epochOf(dataset);
  assert.deepEqual(
    batches.map(({ count, globalCount }) => [count, globalCount]),
    [
      [6, 6],
      [6, 6],
      [3, 3],
    ],
  );
  assert.deepEqual(batches[2]?.mask, [1, 1, 1, 0, 0, 0]);
  const labels = batches.flatMap(({ labels, count }) => labels.slice(0, count));
  assert.deepEqual(
    labels.toSorted((a, b) => a - b),
    [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2],
  );
  assert.notDeepEqual(await epochOf(dataset, {}, { epoch: 1 }), batches);
  assert.deepEqual(await epochOf(dataset, { threads: 1 }, { fromStep: 1 }), batches.slice(1));
});

test('padding shows images of the set where batch norm looks at it, and still counts for nothing', async (t) => {
  const dataset = await labelledSet(await temporaryFolder(t), 15);
  const shown = async (fillLastBatch: boolean): Promise<string[]> => {
    const common = { dataset, seed: 1, batchSize: 6, rank: 0, world: 1, imageSize: size, threads: 1 };
    const transform = { cropScale: [1, 1], flipProbability: 0, maxBadImageFraction: 0, fillLastBatch } as const;
    const loader = new LinearLoader({ ...common, ...transform });
    const slots: string[] = [];
    for await (const { images, mask, count } of loader.epoch(0)) {
      assert.equal(mask.filter((slot) => slot === 1).length, count);
      for (let slot = 0; slot < 6; slot++)
        slots.push(
          Buffer.from(images.subarray(slot * size * size * 3, (slot + 1) * size * size * 3)).toString('base64'),
        );
    }
    await loader.close();
    return slots;
  };
  const [padded, filled] = [await shown(false), await shown(true)];
  assert.deepEqual(filled.slice(0, 15), padded.slice(0, 15));
  const own = new Set(filled.slice(0, 15));
  assert.ok(filled.slice(15).every((image) => own.has(image) && !filled.slice(12, 15).includes(image)));
  assert.equal(new Set(filled.slice(15)).size, 3);
});

test('ranks share a batch, also the smaller last one', async (t) => {
  const dataset = await labelledSet(await temporaryFolder(t), 15);
  const alone = await epochOf(dataset);
  const ranks = [await epochOf(dataset, { rank: 0, world: 2 }), await epochOf(dataset, { rank: 1, world: 2 })];
  for (const [step, { images, globalCount }] of alone.entries()) {
    const parts = ranks.flatMap((batches) => batches[step] ?? []);
    const joined = Buffer.concat(parts.map((part) => Buffer.from(part.images, 'base64')));
    assert.equal(joined.toString('base64'), images);
    assert.deepEqual(
      parts.map((part) => part.globalCount),
      [globalCount, globalCount],
    );
  }
  assert.deepEqual(
    ranks.map((batches) => batches[2]?.count ?? 0).toSorted((a, b) => a - b),
    [1, 2],
  );
});

test('an unlabelled set is refused with the ways to label it', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFiles(folder, { 'a.jpg': await encodedNoise(1) });
  await assert.rejects(epochOf(await openDataset(folder)), {
    code: 'DATA_LABEL',
    exitCode: 65,
    message: /needs labels/,
  });
});

test('bad images are judged by those that are used, of which each rank reads all in time', async (t) => {
  const folder = await temporaryFolder(t);
  await labelledSet(folder, 24);
  const labelFraction = 0.25;
  const used = labelledPart(await openDataset(folder), labelFraction, 1);
  assert.equal(used.length, 6);
  for (const index of used.slice(0, 4)) {
    const name = (await openDataset(folder)).name(index);
    await writeFiles(folder, { [name]: 'not an image' });
  }
  const dataset = await openDataset(folder);
  const refused = {
    code: 'DATA_TOO_MANY_BAD',
    message: /^[34] of the 6 images of .* that this rank reads .* the 2 that/,
  };
  await assert.rejects(epochOf(dataset, { labelFraction, maxBadImageFraction: 0.1 }), refused);
  const kept = await epochOf(dataset, { labelFraction, maxBadImageFraction: 0.2 });
  assert.equal(kept[0]?.count, 6);
});

test('a bad image is replaced together with its label', async (t) => {
  const folder = await temporaryFolder(t);
  await labelledSet(folder, 12);
  await writeFiles(folder, { [join('class0', '000.jpg')]: 'not an image', 'class9/x.jpg': 'not an image' });
  const dataset = await openDataset(folder);
  const batches = await epochOf(dataset);
  assert.equal(
    batches.reduce((sum, { count }) => sum + count, 0),
    13,
  );
  assert.ok(batches.every(({ labels }) => !labels.includes(3)));
});
