import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vectorsIn } from '../../trainer/rank/vectors.ts';

test("a processor's vectors are those of its widest flag", () => {
  const cpuInfo = (flags: string): string =>
    `processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu ${flags}\nbogomips\t: 4\n`;
  for (const [flags, vectors] of [
    ['sse4_2 avx', undefined],
    ['avx avx2 fma', 'AVX2'],
    ['avx2 avx512f avx512bw', 'AVX-512'],
    ['avx2 avx512f avx512_bf16', 'AVX-512 for bfloat16'],
    ['avx2 avx512f avx512_bf16 amx_bf16', 'AMX for bfloat16'],
  ] as const) {
    assert.equal(vectorsIn(cpuInfo(flags)), vectors);
  }
  assert.equal(vectorsIn('processor\t: 0\nFeatures\t: fp asimd\n'), undefined);
});
