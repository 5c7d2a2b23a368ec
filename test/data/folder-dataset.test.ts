import assert from 'node:assert/strict';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { openDataset } from '../../trainer/data/dataset.ts';
import { temporaryFolder, writeFiles } from './images.ts';

const names = (dataset: Awaited<ReturnType<typeof openDataset>>) =>
  Array.from({ length: dataset.size }, (_, i) => dataset.name(i));

test('subfolders are classes, in the order of their names', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFiles(folder, {
    'zebra/1.jpg': 'z1',
    'ant/deep/er/2.PNG': 'a2',
    'ant/10.jpeg': 'a10',
    'ant/.hidden.jpg': '',
    'ant/notes.txt': '',
    '.git/x.jpg': '',
    'empty/readme': '',
  });
  const dataset = await openDataset(`file://${folder}`);
  assert.deepEqual(dataset.classes, ['ant', 'zebra']);
  assert.deepEqual(names(dataset), ['ant/10.jpeg', 'ant/deep/er/2.PNG', 'zebra/1.jpg']);
  assert.deepEqual(
    [0, 1, 2].map((i) => dataset.label(i)),
    [0, 0, 1],
  );
  assert.equal(Buffer.from(await dataset.read(2)).toString(), 'z1');
  assert.deepEqual(dataset.source(0), { path: join(folder, 'ant/10.jpeg'), offset: 0, length: undefined });
});

test('an image at the top makes the set unlabelled', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFiles(folder, { 'a/1.jpg': '', 'b.webp': '' });
  const dataset = await openDataset(folder);
  assert.deepEqual(dataset.classes, []);
  assert.equal(dataset.label(0), -1);
  assert.equal(dataset.size, 2);
});

test("val takes the training set's numbers of the classes", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFiles(folder, { 'dog/1.jpg': '' });
  const dataset = await openDataset(folder, { classes: ['cat', 'dog', 'eel'] });
  assert.deepEqual(dataset.classes, ['cat', 'dog', 'eel']);
  assert.equal(dataset.label(0), 1);
});

test('a class in val that train lacks is named', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFiles(folder, { 'dog/1.jpg': '', 'yak/1.jpg': '' });
  await assert.rejects(openDataset(folder, { classes: ['cat', 'dog'] }), {
    code: 'DATA_LABEL',
    exitCode: 65,
    message: /a class that the training set lacks: yak;/,
  });
});

test('links to folders are followed, and loops end', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFiles(folder, { 'real/a/1.jpg': '', 'set/b/2.jpg': '' });
  await symlink(join(folder, 'real/a'), join(folder, 'set/a'));
  await symlink(join(folder, 'set'), join(folder, 'set/b/loop'));
  assert.deepEqual(names(await openDataset(join(folder, 'set'))), ['a/1.jpg', 'b/2.jpg']);
});

test('an empty folder, a missing one and other kinds of URI are one clear error each', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFiles(folder, { 'class/readme.txt': '' });
  await assert.rejects(openDataset(folder), { code: 'DATA_EMPTY', exitCode: 65, message: /holds no image/ });
  await assert.rejects(openDataset(join(folder, 'no')), {
    code: 'DATA_MISSING',
    exitCode: 65,
    message: /no data set at/,
  });
  await assert.rejects(openDataset(join(folder, 'class/readme.txt')), { code: 'DATA_URI', exitCode: 64 });
  await assert.rejects(openDataset('gs://bucket/train'), { code: 'DATA_URI', exitCode: 64, message: /gs:\/\// });
});

test('the index hash follows names and labels, not the place', async (t) => {
  const [here, there, other] = [await temporaryFolder(t), await temporaryFolder(t), await temporaryFolder(t)];
  await writeFiles(here, { 'a/1.jpg': 'x' });
  await writeFiles(there, { 'a/1.jpg': 'x' });
  await writeFiles(other, { 'a/2.jpg': 'x' });
  const hashes = await Promise.all([here, there, other].map(async (folder) => (await openDataset(folder)).indexHash));
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
  assert.equal((await readFile(join(here, 'a/1.jpg'))).toString(), 'x');
});
