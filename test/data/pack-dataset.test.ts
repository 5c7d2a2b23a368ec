import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { openDataset } from '../../trainer/data/dataset.ts';
import { packDataset, type Packed } from '../../trainer/data/pack-dataset.ts';
import { verifyShards } from '../../trainer/data/verify-shards.ts';
import { writeTinyData } from '../rank/fixtures/tiny-run.ts';
import { temporaryFolder } from './images.ts';
import { epochOf } from './loaders.ts';

async function packed(t: TestContext): Promise<{ folder: string; out: string; result: Packed }> {
  const folder = await temporaryFolder(t);
  await writeTinyData(folder, { train: 5, val: 1 });
  const out = join(folder, 'shards');
  const dataset = await openDataset(join(folder, 'train'));
  const result = await packDataset({ dataset, folder: out, name: 'train', shardBytes: 2000, seed: 3 });
  return { folder, out, result };
}

test('every image is packed once with its label, well mixed, the same bytes each time', async (t) => {
  const { folder, out, result } = await packed(t);
  assert.equal(result.images, 20);
  assert.ok(result.shards > 2);
  assert.equal(result.uri, join(out, `train-{00000..0000${result.shards - 1}}.tar`));
  const [from, to] = [await openDataset(join(folder, 'train')), await openDataset(result.uri)];
  t.after(() => to.close());
  const images = async (set: typeof from): Promise<string[]> =>
    await Promise.all(
      Array.from(
        { length: set.size },
        async (_, i) => `${set.classes[set.label(i)]} ${Buffer.from(await set.read(i)).toString('hex')}`,
      ),
    );
  const [wanted, found] = [await images(from), await images(to)];
  assert.notDeepEqual(found, wanted);
  assert.deepEqual(found.toSorted(), wanted.toSorted());
  const again = join(folder, 'again');
  await packDataset({ dataset: from, folder: again, name: 'train', shardBytes: 2000, seed: 3 });
  assert.deepEqual(readdirSync(again), readdirSync(out));
  for (const name of readdirSync(out)) assert.ok(readFileSync(join(out, name)).equals(readFileSync(join(again, name))));
  const verified = { shards: result.shards, images: 20, bytes: result.bytes };
  assert.deepEqual(await verifyShards(result.uri), verified);
  assert.deepEqual(await verifyShards(out), verified);
  await assert.rejects(verifyShards(join(folder, 'train')), { code: 'DATA_MISSING', message: /has no \.tar files/ });
});

test('what would be overwritten or mislabelled is refused', async (t) => {
  const { folder, out } = await packed(t);
  const dataset = await openDataset(join(folder, 'train'));
  const options = { folder: out, shardBytes: 2000, seed: 0 };
  const refused = { code: 'DATASET_PACK', exitCode: 64 };
  await assert.rejects(packDataset({ ...options, dataset, name: 'train' }), { ...refused, message: /exists already/ });
  writeFileSync(join(out, 'classes.txt'), 'ant\nbee\n');
  await assert.rejects(packDataset({ ...options, dataset, name: 'x' }), { ...refused, message: /names other classes/ });
  writeFileSync(join(folder, 'train/dark/99.jpg'), 'text');
  const bad = await openDataset(join(folder, 'train'));
  const elsewhere = { ...options, folder: join(folder, 'b'), dataset: bad, name: 'x' };
  await assert.rejects(packDataset(elsewhere), { ...refused, message: /dark\/99\.jpg of .* is no JPEG, PNG or WebP/ });
});

test('a damaged image is left out and counted, a cut shard and a damaged index are refused', async (t) => {
  const { out, result } = await packed(t);
  const dataset = await openDataset(result.uri);
  t.after(() => dataset.close());
  const shard = join(out, 'train-00000.tar');
  const whole = readFileSync(shard);
  // Within the entropy-coded data: it would decode, to other pixels.
  const damaged = Buffer.from(whole);
  const [, first] = readFileSync(`${shard}.index.json`, 'utf8').split('\n');
  const [key, offset, length] = JSON.parse(first!.replace(/,$/, '')) as [string, number, number];
  assert.deepEqual([key, offset], ['00000000', 512]);
  damaged[offset + length - 20]! ^= 1;
  writeFileSync(shard, damaged);
  await assert.rejects(epochOf(dataset, { batchSize: 4, imageSize: 16, threads: 1, maxBadImageFraction: 0 }), {
    code: 'DATA_TOO_MANY_BAD',
    message: /train-00000\.tar:00000000 \(differs from its checksum\)/,
  });
  await assert.rejects(verifyShards(result.uri), { code: 'DATA_SHARD', message: /train-00000\.tar has the SHA-256/ });
  writeFileSync(shard, whole.subarray(0, 1000));
  await assert.rejects(openDataset(result.uri), { code: 'DATA_SHARD', message: /has 1000 bytes and \d+ by its index/ });
  writeFileSync(shard, whole);
  const index = readFileSync(`${shard}.index.json`, 'utf8');
  for (const text of ['{', '{}', index.replace('index/1', 'index/2')]) {
    writeFileSync(`${shard}.index.json`, text);
    await assert.rejects(openDataset(result.uri), { code: 'DATA_SHARD', message: /index\.json is damaged/ });
  }
  writeFileSync(`${shard}.index.json`, index.replace(/,512,/, ',99999999,'));
  await assert.rejects(openDataset(result.uri), { code: 'DATA_SHARD', message: /lies outside of the shard/ });
});
