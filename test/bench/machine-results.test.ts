import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keepByProcessor } from '../../bench/machine-results.ts';
import type { Vectors } from '../../trainer/rank/vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'simsiam-machine-results-'));
after(() => rmSync(folder, { recursive: true }));

test("a processor's results replace its former ones and leave those of others", async () => {
  const file = join(folder, 'results.json');
  const found = (vectors: Vectors, figure: number) => {
    const machine = { cpu: 'Example CPU', vectors, cores: 2, node: '20.19.0', measuredAt: '', load: 0, versions: {} };
    return { machine, figure };
  };
  const [narrow, wide, again] = [found('AVX2', 1), found('AVX-512', 2), found('AVX2', 3)];
  assert.deepEqual(await keepByProcessor(file, narrow), [narrow]);
  assert.deepEqual(await keepByProcessor(file, wide), [narrow, wide]);
  assert.deepEqual(await keepByProcessor(file, again), [wide, again]);
});
