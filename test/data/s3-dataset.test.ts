import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { openStore } from '../../storage/open-store.ts';
import { openDataset, type Dataset, type FetchedSample } from '../../trainer/data/dataset.ts';
import { packDataset } from '../../trainer/data/pack-dataset.ts';
import { writeShard } from '../../trainer/data/write-shard.ts';
import { writeTinyData } from '../rank/fixtures/tiny-run.ts';
import { s3Proxy, type Fate } from '../storage/s3-proxy.ts';
import { credentials, S3Server, useCredentials } from '../storage/s3-server.ts';
import { PretrainLoader } from '../../trainer/data/pretrain-loader.ts';
import { openS3Dataset } from '../../trainer/data/s3-dataset.ts';
import { epochOf, pretrainOptions } from './loaders.ts';

const folder = mkdtempSync(join(tmpdir(), 'simsiam-s3-data-'));
const { server, skip } = await S3Server.start(folder);
after(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true });
});
useCredentials();

const images = join(folder, 'images');
const bucket = (): string => server!.bucketFolder;
const open = (uri: string, options = {}): Promise<Dataset> =>
  openDataset(uri, { endpoint: server!.endpoint, ...options });

async function contents(dataset: Dataset): Promise<[string, number, string][]> {
  return await Promise.all(
    Array.from({ length: dataset.size }, async (_, i) => {
      const bytes = await dataset.read(i);
      return [dataset.name(i), dataset.label(i), Buffer.from(bytes).toString('base64')] as [string, number, string];
    }),
  );
}

describe('data sets in S3', { skip }, () => {
  before(async () => {
    await writeTinyData(images, { train: 4, val: 2 });
    cpSync(images, join(bucket(), 'set'), { recursive: true });
    writeFileSync(join(bucket(), 'set/train/dark/notes.txt'), 'no image');
    mkdirSync(join(bucket(), 'set/train/.hidden'));
    cpSync(join(images, 'val/dark/00.jpg'), join(bucket(), 'set/train/.hidden/x.jpg'));
    const train = await openDataset(join(images, 'train'));
    await packDataset({ dataset: train, folder: join(bucket(), 'packed'), name: 'train', shardBytes: 4000, seed: 0 });
  });

  test('a prefix is what the same folder is, whole or batch by batch', async () => {
    const [here, there] = [await openDataset(join(images, 'train')), await open('s3://bucket/set/train/')];
    assert.deepEqual(there.classes, here.classes);
    assert.equal(there.indexHash, here.indexHash);
    assert.deepEqual(await contents(there), await contents(here));
    const options = { batchSize: 4, imageSize: 16, threads: 2 };
    assert.deepEqual(await epochOf(there, options), await epochOf(here, options));
    await Promise.all([here.close(), there.close()]);
  });

  test('shards are what they are in a folder, by their index, by their headers and with classes.txt', async () => {
    const pattern = (at: string): string => `${at}/packed/train-{00000..${lastShard()}}.tar`;
    const here = await openDataset(pattern(bucket()));
    const indexed = await open(pattern('s3://bucket'));
    assert.equal(here.size, 16);
    assert.deepEqual(here.classes, ['dark', 'far', 'light', 'near']);
    const expected = await contents(here);
    assert.deepEqual(await contents(indexed), expected);
    assert.equal(typeof ((await indexed.source(0)) as FetchedSample).crc32, 'number');
    for (const name of readdirSync(join(bucket(), 'packed'))) {
      if (name.endsWith('.index.json')) rmSync(join(bucket(), 'packed', name));
    }
    const walked = await open(pattern('s3://bucket'));
    assert.equal(walked.indexHash, here.indexHash);
    assert.deepEqual(await contents(walked), expected);
    await here.close();
  });

  test('a shard that is longer than a window is walked over in jumps', async () => {
    const entries = [0, 1, 2].map((i) => ({
      key: `k${i}`,
      extension: 'jpg',
      bytes: Buffer.alloc(900_000, i),
      label: i,
    }));
    await writeShard(join(bucket(), 'large.tar'), entries);
    const dataset = await open('s3://bucket/large.tar');
    assert.deepEqual(
      [0, 1, 2].map((i) => dataset.label(i)),
      [0, 1, 2],
    );
    assert.ok(Buffer.from(await dataset.read(2)).equals(Buffer.alloc(900_000, 2)));
    // A cut shard is told at once.
    writeFileSync(join(bucket(), 'cut.tar'), readFileSync(join(bucket(), 'large.tar')).subarray(0, 1_000_000));
    await assert.rejects(open('s3://bucket/cut.tar'), {
      code: 'DATA_SHARD',
      message: /s3:\/\/bucket\/cut\.tar is cut off/,
    });
  });

  test('what is missing, closed or changed is told', async () => {
    await assert.rejects(open('s3://bucket/nothing'), { code: 'DATA_MISSING' });
    await assert.rejects(open('s3://bucket/none-{0..1}.tar'), {
      code: 'DATA_MISSING',
      message: /the shard none-0\.tar/,
    });
    await assert.rejects(open('s3://other/set'), { code: 'STORAGE_BUCKET_MISSING' });
    await assert.rejects(open('s3://Bad_Bucket/set'), { code: 'STORAGE_ADDRESS', message: /^spec\.data: s3:\/\// });
    useCredentials({ AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'swordfish' });
    await assert.rejects(open('s3://bucket/set'), ({ code, message }: Error & { code: string }) => {
      assert.match(code, /^STORAGE_/);
      assert.doesNotMatch(message, /swordfish/);
      return true;
    });
    // Data may have credentials of their own, which the store of the run then doesn't get.
    const own = Object.entries(credentials).map(([name, value]) => [`SIMSIAM_DATA_${name}`, value] as const);
    for (const [name, value] of own) process.env[name] = value;
    try {
      assert.equal((await open('s3://bucket/set/train')).size, 16);
      await assert.rejects((await openStore({ uri: 's3://bucket/set', endpoint: server!.endpoint })).get('x'), {
        code: 'STORAGE_CREDENTIALS',
      });
    } finally {
      for (const [name] of own) delete process.env[name];
    }
    useCredentials();
    const dataset = await open('s3://bucket/set/val');
    const [name, other] = [dataset.name(0), dataset.name(1)];
    rmSync(join(bucket(), 'set/val', name));
    assert.deepEqual(await dataset.source(0), { bad: 'is not in the bucket any more' });
    const store = await openStore({ uri: 's3://bucket/set/val', endpoint: server!.endpoint });
    await store.put(other, readFileSync(join(images, 'val', dataset.name(2))));
    await assert.rejects(async () => await dataset.source(1), {
      code: 'STORAGE_PRECONDITION_FAILED',
      message: /has changed/,
    });
  });

  test('the cache keeps its limit, is found again, and serves without the server', async () => {
    const cache = { folder: join(folder, 'cache'), bytes: 100_000 };
    const requests: string[] = [];
    const endpoint = await s3Proxy(server!.port, (method, path) => {
      requests.push(`${method} ${path}`);
      return 'answered';
    });
    const first = await open('s3://bucket/set/train', { endpoint, cache });
    const expected = await contents(first);
    const fetched = (): number => requests.filter((line) => /\.jpg/.test(line)).length;
    assert.equal(fetched(), 16);
    const again = await open('s3://bucket/set/train', { endpoint, cache });
    assert.deepEqual(await contents(again), expected);
    assert.equal(fetched(), 16);
    // Half of the room: no more than that stays.
    const total = filesBelow(cache.folder);
    await open('s3://bucket/set/train', { endpoint, cache: { ...cache, bytes: Math.floor(total / 2) } });
    assert.ok(filesBelow(cache.folder) <= total / 2 && filesBelow(cache.folder) > 0);
    const warnings: string[] = [];
    const unwritable = { folder: join(images, 'val/dark/00.jpg/cache'), bytes: 1000 };
    const without = await open('s3://bucket/set/train', {
      cache: unwritable,
      onWarning: (line: string) => warnings.push(line),
    });
    assert.deepEqual(await contents(without), expected);
    assert.match(warnings.join('\n'), /^the cache of images in .*\/cache is off: ENOTDIR[^\n]*$/);
  });

  test('answers that are lost or cut, and a server that restarts, only cost time', async () => {
    let count = 0;
    const fates: readonly Fate[] = ['answer lost', 'answered', 'answer cut', 'answered'];
    const endpoint = await s3Proxy(server!.port, () => fates[count++ % fates.length]!);
    const dataset = await open('s3://bucket/set/train', { endpoint });
    const here = await openDataset(join(images, 'train'));
    assert.deepEqual(await contents(dataset), await contents(here));
    await server!.kill();
    const waiting = dataset.read(3);
    await server!.restart();
    assert.deepEqual(Buffer.from(await waiting), Buffer.from(await here.read(3)));
  });

  test('a server that stays away ends an epoch with one error', async () => {
    const options = { endpoint: server!.endpoint };
    const dataset = await openS3Dataset('s3://bucket/set/train', options, { first: 1000, later: 300 });
    const loader = new PretrainLoader(pretrainOptions(dataset, { batchSize: 4, imageSize: 16, threads: 2 }));
    const epoch = loader.epoch(0);
    await epoch.next();
    await server!.kill();
    await assert.rejects(
      async () => {
        while (!(await epoch.next()).done);
        for await (const _ of loader.epoch(1));
      },
      {
        code: 'STORAGE_UNAVAILABLE',
        exitCode: 74,
        message: /^can't reach http.*: can't read .* in s3:.*spec\.data\.endpoint/,
      },
    );
    await loader.close();
    await server!.restart();
  });
});

function lastShard(): string {
  const shards = readdirSync(join(bucket(), 'packed')).filter((name) => name.endsWith('.tar'));
  return /(\d+)\.tar$/.exec(shards.toSorted().at(-1)!)![1]!;
}

function filesBelow(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + readFileSync(join(entry.parentPath, entry.name)).length, 0);
}
