import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { exitCode } from '../../api/exit-codes.ts';
import { fixtures } from '../interchange/fixtures.ts';
import { simsiam } from './fixtures/processes.ts';

let folder: string;
before(async () => (folder = await mkdtemp(join(tmpdir(), 'simsiam-cli-convert-'))));
after(() => rm(folder, { recursive: true }));

test('convert: a line for people, a JSON object with --json', async () => {
  const original = join(fixtures, 'pretrain.pth.tar');
  const target = join(folder, 'backbone.pth');
  const told = await simsiam('convert', original, target);
  assert.deepEqual([told.code, told.stderr, told.stdout], [0, '', `${target}: resnet18, 120 tensors\n`]);
  const { stdout } = await simsiam('convert', original, join(folder, 'imported'), '--json');
  assert.deepEqual(JSON.parse(stdout), { format: 'folder', arch: 'resnet18', tensors: 145, momentumBuffers: 72 });
});

test('convert: a file that names a class is refused by its name, in one line, and nothing is written', async () => {
  const before = await readdir(folder);
  const { code, stdout, stderr } = await simsiam('convert', join(fixtures, 'whole-module.pt'), join(folder, 'x.pth'));
  assert.deepEqual([code, stdout], [exitCode.badInput, '']);
  assert.match(
    stderr,
    /^error: .*whole-module\.pt: .*"torch\.nn\.modules\.linear\.Linear".* \[TORCH_CLASS_REFUSED\]\n$/,
  );
  assert.deepEqual(await readdir(folder), before);
});
