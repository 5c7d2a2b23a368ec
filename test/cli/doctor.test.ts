import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Diagnosis } from '../../cli/commands/doctor.ts';
import { diagnosisText } from '../../cli/commands/doctor.ts';
import { simsiam } from './fixtures/processes.ts';

test('this installation is whole', async () => {
  const { code, stdout, stderr } = await simsiam('doctor', '--json');
  const diagnosis = JSON.parse(stdout) as Diagnosis;
  assert.equal(diagnosis.node, process.versions.node);
  assert.ok(diagnosis.tensorflow.ok && /^2\.\d+\.\d+$/.test(diagnosis.tensorflow.version));
  assert.ok(diagnosis.augmentation.ok);
  assert.equal(diagnosis.sharesMemory, process.platform === 'linux');
  assert.deepEqual([code, stderr], [0, '']);
});

test('a broken part is named with its mend', () => {
  const text = diagnosisText({
    node: '20.19.0',
    platform: 'linux x64',
    cores: 2,
    memoryBytes: 8 * 2 ** 30,
    gpus: [],
    sharesMemory: false,
    tensorflow: { ok: false, problem: 'it is not there: run `npm run setup`' },
    augmentation: { ok: true },
  });
  assert.match(text, /^TensorFlow\s+BROKEN: it is not there: run `npm run setup`$/m);
  assert.match(text, /^memory\s+8\.0 GiB$/m);
  assert.match(text, /^ranks\s+talk by gRPC, which is slower: sharing memory takes Linux, and room in \/dev\/shm$/m);
});

test('a GPU that TensorFlow can use, and one that it cannot', () => {
  const withGpu = (usesGpu: boolean): string =>
    diagnosisText({
      node: '20.19.0',
      platform: 'linux x64',
      cores: 2,
      memoryBytes: 8 * 2 ** 30,
      gpus: ['NVIDIA Example'],
      sharesMemory: true,
      tensorflow: { ok: true, version: '2.20.0', usesGpu },
      augmentation: { ok: true },
    });
  assert.match(withGpu(true), /^TensorFlow\s+2\.20\.0, computes on the GPU$/m);
  assert.match(withGpu(false), /^TensorFlow\s+2\.20\.0, can't use the GPU: SIMSIAM_DEVICE=gpu npm run setup /m);
});
