import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseGpuMemory } from '../../trainer/launch/gpu-memory.ts';

test('nvidia-smi: used memory by index', () => {
  assert.deepEqual(parseGpuMemory('0, 1024\n7, 0\n'), [
    { gpu: '0', usedBytes: 2 ** 30 },
    { gpu: '7', usedBytes: 0 },
  ]);
  assert.deepEqual(parseGpuMemory('0, [N/A]\n'), []);
  assert.deepEqual(parseGpuMemory(''), []);
});
