import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findTools } from '../../scripts/setup/tools.ts';
import { hasConvolutions, type ConvolutionType } from '../../trainer/tensorflow/kernels.ts';

const all: readonly ConvolutionType[] = ['float32', 'bfloat16'];

/** The types whose convolutions this processor has kernels for. What it lacks, TensorFlow's kernels serve. */
export const types: readonly ConvolutionType[] = all.filter((type) => hasConvolutions(type));

/** The same by what Linux says of the processor, and by the compiler that set-up takes. */
export async function promisedTypes(): Promise<ConvolutionType[]> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return [];
  const { compiler } = await findTools({ python: false, compiler: true });
  const run = async (flag: string): Promise<string> => (await promisify(execFile)(compiler, [flag])).stdout;
  if ((await run('--version')).includes('clang')) return [];
  const [, words = ''] = /^flags\s*:(.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8')) ?? [];
  const flags = new Set(words.split(' '));
  const avx2 = flags.has('avx2') && flags.has('fma');
  const multiplied = flags.has('avx512f') ? flags.has('avx512_bf16') && !flags.has('amx_bf16') : avx2;
  const promised = {
    float32: flags.has('avx512f') || avx2,
    bfloat16: multiplied && Number.parseInt(await run('-dumpversion'), 10) >= 11,
  };
  return all.filter((type) => promised[type]);
}
