import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { showNccl } from '../../../scripts/setup/libtensorflow.ts';

test('NCCL can be read from a folder of the run path; without NCCL nothing is made', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-nccl-'));
  try {
    await showNccl(folder);
    assert.deepEqual(await readdir(folder), []);
    await mkdir(join(folder, 'nvidia/nccl/lib'), { recursive: true });
    await mkdir(join(folder, 'nvidia/cudnn/lib'), { recursive: true });
    await writeFile(join(folder, 'nvidia/nccl/lib/libnccl.so.2'), 'the library');
    await showNccl(folder);
    assert.equal(await readFile(join(folder, 'nvidia/cudnn/lib/libnccl.so.2'), 'utf8'), 'the library');
  } finally {
    await rm(folder, { recursive: true });
  }
});
