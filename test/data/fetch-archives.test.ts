import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import sharp from 'sharp';
import { pack } from 'tar-stream';

import { openDataset } from '../../trainer/data/dataset.ts';
import { fetchCifar10 } from '../../trainer/data/fetch-cifar10.ts';
import { fetchImagenette } from '../../trainer/data/fetch-imagenette.ts';
import { verifyShards } from '../../trainer/data/verify-shards.ts';
import { smallDisk } from '../storage/small-disk.ts';
import { encodedNoise, noise, temporaryFolder } from './images.ts';

const { disk, skip } = smallDisk(64);

async function archiveOf(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, bytes] of Object.entries(files)) archive.entry({ name }, bytes);
  archive.entry({ name: 'link', type: 'symlink', linkname: '/etc/passwd' });
  archive.finalize();
  return gzipSync(await buffer(archive));
}

/** What the published archive is to the program, this one is to a test: smaller, in the same format. */
function known(bytes: Buffer, url = 'http://127.0.0.1:1/never'): { file: string; url: string; sha256: string } {
  return { file: 'archive.tar.gz', url, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** [label][red plane][green plane][blue plane] of pictures of noise. */
function cifarBatch(seed: number, labels: readonly number[]): Buffer {
  return Buffer.concat(
    labels.map((label, i) => {
      const pixels = noise(100 * seed + i, 32, 32);
      const planes = [0, 1, 2].map((channel) => pixels.filter((_, at) => at % 3 === channel));
      return Buffer.concat([Buffer.of(label), ...planes]);
    }),
  );
}

async function cifar(): Promise<Record<string, Buffer>> {
  const batches = [1, 2, 3, 4, 5].map((n) => [`cifar-10-batches-bin/data_batch_${n}.bin`, cifarBatch(n, [n, 9 - n])]);
  return {
    ...Object.fromEntries(batches),
    'cifar-10-batches-bin/test_batch.bin': cifarBatch(6, [3, 5]),
    'x/readme.html': Buffer.of(1),
  };
}

test('CIFAR-10 of a copy becomes shards with its pixels, labels and names', async (t) => {
  const folder = await temporaryFolder(t);
  const bytes = await archiveOf(await cifar());
  const from = join(folder, 'copy.tar.gz');
  writeFileSync(from, bytes);
  const options = { folder: join(folder, 'out'), cache: join(folder, 'cache'), from };
  const { train, val } = await fetchCifar10(options, known(bytes));
  assert.deepEqual([train, val], [join(folder, 'out/train-{000..007}.tar'), join(folder, 'out/val-{000..001}.tar')]);
  const [images, tests] = [await openDataset(train), await openDataset(val)];
  t.after(() => Promise.all([images.close(), tests.close()]));
  assert.deepEqual([images.size, tests.size], [10, 2]);
  assert.deepEqual(
    Array.from({ length: 4 }, (_, i) => images.classes[images.label(i)]),
    ['automobile', 'ship', 'bird', 'horse'],
  );
  const pixels = await sharp(Buffer.from(await images.read(3)))
    .raw()
    .toBuffer();
  assert.deepEqual(pixels, noise(201, 32, 32));
  assert.equal((await verifyShards(train)).images, 10);
  await assert.rejects(fetchCifar10({ ...options, folder: join(folder, 'other') }), {
    code: 'DATASET_PACK',
    message: /copy\.tar\.gz is not cifar-10-binary\.tar\.gz: its SHA-256 is [0-9a-f]{64} and not c4a38c/,
  });
  assert.ok(!existsSync(join(folder, 'other')));
});

test('Imagenette becomes well mixed shards of the JPEGs as they are', async (t) => {
  const folder = await temporaryFolder(t);
  const files: Record<string, Buffer> = {
    '../../outside.JPEG': Buffer.of(1),
    'imagenette2-160/noisy_imagenette.csv': Buffer.of(2),
  };
  for (const [i, wordnet] of ['n01440764', 'n03888257'].entries()) {
    for (let n = 0; n < 4; n++)
      files[`imagenette2-160/train/${wordnet}/${wordnet}_${n}.JPEG`] = await encodedNoise(10 * i + n);
    files[`imagenette2-160/val/${wordnet}/ILSVRC2012_val_0.JPEG`] = await encodedNoise(50 + i);
  }
  const bytes = await archiveOf(files);
  const from = join(folder, 'copy.tgz');
  writeFileSync(from, bytes);
  const { train, val } = await fetchImagenette({ folder: join(folder, 'out'), cache: folder, from }, known(bytes));
  const [images, tests] = [await openDataset(train), await openDataset(val)];
  t.after(() => Promise.all([images.close(), tests.close()]));
  assert.deepEqual([images.size, tests.size], [8, 2]);
  assert.deepEqual(
    new Set(Array.from({ length: 8 }, (_, i) => images.classes[images.label(i)])),
    new Set(['parachute', 'tench']),
  );
  const at = Array.from({ length: 8 }, (_, i) => i).find((i) => images.name(i).endsWith('n03888257_2'))!;
  assert.ok(Buffer.from(await images.read(at)).equals(files['imagenette2-160/train/n03888257/n03888257_2.JPEG']!));
  assert.ok(!existsSync(join(folder, '../outside.JPEG')));
});

test('a download is checked and kept; what is cut, damaged or unreachable is one error', async (t) => {
  const folder = await temporaryFolder(t);
  const bytes = await archiveOf(await cifar());
  let served: Buffer = bytes;
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.end(served);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/archive.tar.gz`;
  const cache = join(folder, 'cache');
  const options = (name: string) => ({ folder: join(folder, name), cache });

  served = Buffer.from(bytes).fill(0, 100, 110);
  await assert.rejects(fetchCifar10(options('a'), known(bytes, url)), {
    code: 'DATA_READ',
    message: /gives another file, of SHA-256/,
  });
  served = bytes;
  await fetchCifar10(options('b'), known(bytes, url));
  await fetchCifar10(options('c'), known(bytes, url));
  assert.equal(requests, 2);
  const nowhere = { folder: join(folder, 'd'), cache: join(folder, 'empty') };
  await assert.rejects(fetchCifar10(nowhere, known(bytes)), {
    code: 'DATA_READ',
    exitCode: 74,
    message: /can't be downloaded: .*--from FILE|--from/,
  });

  const cut = bytes.subarray(0, bytes.length / 2);
  const from = join(folder, 'cut.tar.gz');
  writeFileSync(from, cut);
  await assert.rejects(fetchCifar10({ ...options('e'), from }, known(cut)), {
    code: 'DATA_SHARD',
    message: /cut\.tar\.gz is damaged, or no \.tar\.gz/,
  });
  const short = await archiveOf({ 'data_batch_1.bin': Buffer.alloc(3000) });
  writeFileSync(from, short);
  await assert.rejects(fetchCifar10({ ...options('f'), from }, known(short)), {
    code: 'DATA_SHARD',
    message: /data_batch_1\.bin has 3000 bytes/,
  });
  const lacking = await archiveOf({ 'data_batch_1.bin': cifarBatch(1, [1]) });
  writeFileSync(from, lacking);
  await assert.rejects(fetchCifar10({ ...options('g'), from }, known(lacking)), {
    code: 'DATA_SHARD',
    message: /lacks data_batch_2\.bin, /,
  });
  assert.equal(readFileSync(from).length, lacking.length);
});

test('a full disk below the cache or the shards is told as one', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  const files = await cifar();
  const bytes = await archiveOf({ ...files, padding: noise(7, 256, 256) });
  const server = createServer((_, response) => void response.end(bytes)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const there = known(bytes, `http://127.0.0.1:${(server.address() as AddressInfo).port}/archive.tar.gz`);
  const full = { code: 'STORAGE_FULL', exitCode: 74 };

  const onDisk = { folder: join(folder, 'out'), cache: disk!.path };
  await assert.rejects(fetchCifar10(onDisk, there), { ...full, message: /can't write archive\.tar\.gz; free some/ });
  assert.deepEqual(readdirSync(join(disk!.path, 'downloads')), []);
  assert.ok(!existsSync(join(folder, 'out')));

  writeFileSync(join(disk!.path, 'filler'), Buffer.alloc(64 * 1024));
  const toDisk = { folder: join(disk!.path, 'out'), cache: join(folder, 'cache') };
  await assert.rejects(fetchCifar10(toDisk, there), { ...full, message: /can't write classes\.txt; free some space/ });
  assert.deepEqual(readdirSync(join(disk!.path, 'out')), []);
});
