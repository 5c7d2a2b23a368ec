import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { openDataset, type Dataset } from '../../trainer/data/dataset.ts';
import { EvalLoader } from '../../trainer/data/eval-loader.ts';
import { laneBounds } from '../../trainer/data/lanes.ts';
import { PretrainLoader } from '../../trainer/data/pretrain-loader.ts';
import { encodedNoise, temporaryFolder, writeFiles, writeNoiseImages } from './images.ts';
import { epochOf, keep, pretrainOptions } from './loaders.ts';

test('the same batches with one thread and with four, and again from any step', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 45);
  const dataset = await openDataset(folder);
  const one = await epochOf(dataset, { threads: 1 });
  assert.equal(one.length, 5);
  assert.deepEqual(await epochOf(dataset, { threads: 4 }), one);
  assert.deepEqual(await epochOf(dataset, { threads: 2 }, { fromStep: 3 }), one.slice(3));
  assert.notDeepEqual(await epochOf(dataset, { seed: 4 }), one);
  assert.notDeepEqual(await epochOf(dataset, {}, { epoch: 1 }), one);
  for (const { views } of one) assert.notEqual(views[0], views[1]);
});

test('two ranks together see what one rank sees', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 19);
  const dataset = await openDataset(folder);
  const alone = await epochOf(dataset);
  const ranks = [await epochOf(dataset, { rank: 0, world: 2 }), await epochOf(dataset, { rank: 1, world: 2 })];
  assert.equal(alone.length, 2);
  for (const [step, batch] of alone.entries()) {
    const parts = ranks.flatMap((batches) => batches[step] ?? []);
    assert.deepEqual(
      parts.flatMap(({ indices }) => indices),
      batch.indices,
    );
    for (const view of [0, 1] as const) {
      const joined = Buffer.concat(parts.map(({ views }) => Buffer.from(views[view]!, 'base64')));
      assert.equal(joined.toString('base64'), batch.views[view]);
    }
  }
});

test('small PNGs come from memory in the second epoch, with the same bytes', async (t) => {
  const folder = await temporaryFolder(t);
  for (let i = 0; i < 8; i++) await writeFiles(folder, { [`${i}.png`]: await encodedNoise(i, 'png') });
  const dataset = await openDataset(folder);
  const fresh = await epochOf(dataset, {}, { epoch: 1 });
  const loader = new PretrainLoader(pretrainOptions(dataset));
  t.after(() => loader.close());
  for await (const batch of loader.epoch(0)) assert.equal(batch.indices.length, 8);
  for (let i = 0; i < 8; i++) await writeFile(join(folder, `${i}.png`), 'gone');
  const kept = [];
  for await (const batch of loader.epoch(1)) kept.push(keep(batch));
  assert.deepEqual(kept, fresh);
});

test('without augmentation both views are the evaluation transform', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 8);
  const dataset = await openDataset(folder);
  const [batch] = await epochOf(dataset, { augmentation: 'none' });
  assert.equal(batch?.views[0], batch?.views[1]);
  const evaluation = new EvalLoader({
    dataset,
    batchSize: 8,
    rank: 0,
    world: 1,
    imageSize: 12,
    threads: 1,
    maxBadImageFraction: 0,
    subset: Int32Array.from(batch?.indices ?? []),
  });
  t.after(() => evaluation.close());
  for await (const { images } of evaluation.batches()) {
    assert.equal(Buffer.from(images).toString('base64'), batch?.views[0]);
  }
});

test('a bad image is replaced by one of its lane, the same one each time, and counted once', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 24);
  const whole = await encodedNoise(5, 'jpeg', 64, 64);
  await writeFile(join(folder, '005.jpg'), whole.subarray(0, whole.length / 2));
  await writeFile(join(folder, '011.jpg'), 'not an image');
  const dataset = await openDataset(folder);
  const options = { maxBadImageFraction: 0.1 };
  const first = await epochOf(dataset, options);
  assert.deepEqual(await epochOf(dataset, { ...options, threads: 3 }), first);
  assert.ok(first.every(({ indices }) => indices.length === 8 && !indices.includes(5) && !indices.includes(11)));

  let told = 0;
  const onBadImages = (images: number): void => void (told += images);
  const loader = new PretrainLoader(pretrainOptions(dataset, { ...options, onBadImages }));
  t.after(() => loader.close());
  for (let epoch = 0; epoch < 2; epoch++) {
    for await (const { indices } of loader.epoch(epoch)) assert.equal(indices.length, 8);
  }
  assert.equal(loader.badImages, 2);
  assert.equal(told, 2);
  assert.match(loader.badImageExamples.join(), /005\.jpg \(.+\).*011\.jpg|011\.jpg \(.+\).*005\.jpg/);
});

test('a bad image that is alone in its lane is replaced by one of another, the same one on any number of ranks', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 11);
  await writeFile(join(folder, '008.jpg'), 'not an image');
  const dataset = { ...(await openDataset(folder)), sortedByClass: false };
  const options = { maxBadImageFraction: 0.1 };
  const lane = 6;
  assert.deepEqual(laneBounds({ size: 11, batchSize: 8 }, lane), { from: 8, to: 9 });
  const replacements = new Set<number>();
  for (let epoch = 0; epoch < 4; epoch++) {
    const [alone, ...more] = await epochOf(dataset, options, { epoch });
    assert.deepEqual(more, []);
    assert.equal(alone?.indices.length, 8);
    assert.ok(!alone.indices.includes(8));
    replacements.add(alone.indices[lane]!);
    for (const world of [2, 4]) {
      const ranks = await Promise.all(
        Array.from(
          { length: world },
          async (_, rank) => await epochOf(dataset, { ...options, rank, world }, { epoch }),
        ),
      );
      const parts = ranks.map(([batch]) => batch!);
      assert.deepEqual(
        parts.flatMap(({ indices }) => indices),
        alone.indices,
      );
      for (const view of [0, 1]) {
        const joined = Buffer.concat(parts.map(({ views }) => Buffer.from(views[view]!, 'base64')));
        assert.equal(joined.toString('base64'), alone.views[view]);
      }
    }
  }
  assert.ok(replacements.size > 1);
});

test('more bad images than allowed end the run, with their names', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 16);
  for (const name of ['003.jpg', '004.jpg']) await writeFile(join(folder, name), 'not an image');
  const dataset = await openDataset(folder);
  await assert.rejects(epochOf(dataset, { maxBadImageFraction: 0.1 }), {
    code: 'DATA_TOO_MANY_BAD',
    exitCode: 65,
    message:
      /^2 of the 16 images of \S+ can't be decoded, more than the 1 that data\.maxBadImageFraction 0\.1 allows; mend .*: 00[34]\.jpg \(.*00[34]\.jpg/,
  });
});

test('a disk that fails is no bad image: it ends the run, with 74', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 16);
  const dataset = await openDataset(folder);
  // The system refuses to read below a file, as it does what a broken disk holds.
  const failing: Dataset = {
    ...dataset,
    source: (index) =>
      index === 11 ? { path: join(folder, '000.jpg/x'), offset: 0, length: undefined } : dataset.source(index),
  };
  await assert.rejects(epochOf(failing, { maxBadImageFraction: 1 }), {
    code: 'DATA_READ',
    exitCode: 74,
    message: `${folder} can't be read: ENOTDIR: not a directory, open '${folder}/000.jpg/x'`,
  });
});

test('a folder without a single readable image ends too, whatever is allowed', async (t) => {
  const folder = await temporaryFolder(t);
  for (let i = 0; i < 8; i++) await writeFiles(folder, { [`${i}.jpg`]: 'no' });
  const dataset = await openDataset(folder);
  await assert.rejects(epochOf(dataset, { maxBadImageFraction: 1 }), {
    code: 'DATA_TOO_MANY_BAD',
    exitCode: 65,
    message:
      /^\d\.jpg of .* can't be decoded, and 20 tries found no readable image to take its place; mend .*jpg \(.*, …$/,
  });
});

test('fewer images than a batch, and a batch that the ranks do not divide, are refused', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 7);
  const dataset = await openDataset(folder);
  assert.throws(() => new PretrainLoader(pretrainOptions(dataset)), { code: 'DATA_TOO_FEW', exitCode: 65 });
  assert.throws(() => new PretrainLoader(pretrainOptions(dataset, { batchSize: 5, world: 2 })), {
    code: 'DATA_UNEVEN_BATCH',
    exitCode: 64,
  });
});

test('leaving an epoch early frees the loader for the next one; two at once are refused', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 40);
  const dataset = await openDataset(folder);
  const expected = await epochOf(dataset, {}, { epoch: 1 });
  const loader = new PretrainLoader(pretrainOptions(dataset, { threads: 2 }));
  t.after(() => loader.close());
  const early = loader.epoch(0);
  await early.next();
  await early.return();
  const batches = loader.epoch(1);
  const first = await batches.next();
  await assert.rejects(loader.epoch(2).next(), /one epoch at a time/);
  assert.deepEqual(first.value && keep(first.value), expected[0]);
  await batches.return();
});

test('four views begin with the two', async (t) => {
  const folder = await temporaryFolder(t);
  await writeNoiseImages(folder, 8);
  const dataset = await openDataset(folder);
  const [two] = await epochOf(dataset);
  const [four] = await epochOf(dataset, { views: 4 });
  assert.deepEqual(four?.views.slice(0, 2), two?.views);
  assert.equal(new Set(four?.views).size, 4);
});
