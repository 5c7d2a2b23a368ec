import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseCpuMax, parseGpuList, probeMachine, visibleGpus } from '../../trainer/launch/devices.ts';

const whole = `GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-aaaa)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-bbbb)
`;
const partitioned = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)
  MIG 3g.20gb     Device  0: (UUID: MIG-1111)
  MIG 3g.20gb     Device  1: (UUID: MIG-2222)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb)
`;
const [h100a, h100b] = parseGpuList(whole);

test('nvidia-smi -L: GPUs by index, partitions by UUID', () => {
  assert.deepEqual(h100b, { id: '1', name: 'NVIDIA H100 80GB HBM3' });
  assert.deepEqual(
    parseGpuList(partitioned).map(({ id }) => id),
    ['MIG-1111', 'MIG-2222', '1'],
  );
  assert.deepEqual(parseGpuList('No devices found.\n'), []);
});

for (const { visible, expected } of [
  { visible: undefined, expected: ['0', '1'] },
  { visible: '', expected: [] },
  { visible: '-1', expected: [] },
  { visible: '1', expected: ['1'] },
  { visible: '1, 0', expected: ['1', '0'] },
  { visible: '0,-1,1', expected: ['0'] },
  { visible: '0,7,1', expected: ['0'] },
  { visible: 'GPU-bbbb', expected: ['GPU-bbbb'] },
])
  test(`CUDA_VISIBLE_DEVICES=${visible} leaves [${expected.join()}]`, () => {
    assert.deepEqual(
      visibleGpus([h100a!, h100b!], visible).map(({ id }) => id),
      expected,
    );
  });

for (const { text, cores } of [
  { text: 'max 100000\n', cores: Infinity },
  { text: '200000 100000\n', cores: 2 },
  { text: '350000 100000\n', cores: 3 },
  { text: '50000 100000\n', cores: 1 },
  { text: '', cores: Infinity },
])
  test(`cpu.max ${JSON.stringify(text)} is ${cores} cores`, () => assert.equal(parseCpuMax(text), cores));

test('this machine has a core, and no GPU that is hidden', async () => {
  const machine = await probeMachine({ CUDA_VISIBLE_DEVICES: '-1' });
  assert.ok(machine.cores >= 1);
  assert.deepEqual(machine.gpus, []);
});
