import { existsSync, readFileSync } from 'node:fs';

/** By the last of the flags that the processor has. */
const vectorsByFlag = {
  avx2: 'AVX2',
  avx512f: 'AVX-512',
  avx512_bf16: 'AVX-512 for bfloat16',
  amx_bf16: 'AMX for bfloat16',
} as const;

/** What an x86 processor multiplies in at most, by which libraries choose their kernels. */
export type Vectors = (typeof vectorsByFlag)[keyof typeof vectorsByFlag];

/** Those of this processor; undefined where nothing tells: on other processors and systems than x86 and Linux. */
export function vectorsHere(): Vectors | undefined {
  const file = '/proc/cpuinfo';
  return existsSync(file) ? vectorsIn(readFileSync(file, 'utf8')) : undefined;
}

/** @param cpuInfo as Linux tells it */
export function vectorsIn(cpuInfo: string): Vectors | undefined {
  const flags = (/^flags\s*:(.*)$/m.exec(cpuInfo)?.[1] ?? '').split(' ');
  return Object.entries(vectorsByFlag).findLast(([flag]) => flags.includes(flag))?.[1];
}
