import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { before, describe, test } from 'node:test';

import { freeAddresses } from '../tensorflow/cluster.ts';
import type { Verdicts } from './digest-program.ts';

async function startRank(rank: number, addresses: readonly string[]): Promise<Verdicts> {
  const program = new URL('digest-program.js', import.meta.url);
  const env = { ...process.env, CUDA_VISIBLE_DEVICES: '-1', TF_CPP_MIN_LOG_LEVEL: '2' };
  const child = fork(program, [String(rank), ...addresses], { env });
  const failed = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`rank ${rank} ended without a verdict: ${code ?? signal}`);
  });
  const [verdicts] = await Promise.race([once(child, 'message'), failed]);
  await failed.catch(() => {});
  return verdicts as Verdicts;
}

describe('before a checkpoint two ranks compare what they hold', { timeout: 120_000 }, () => {
  let ranks: readonly Verdicts[];
  before(async () => {
    const addresses = await freeAddresses(2);
    ranks = await Promise.all([0, 1].map((rank) => startRank(rank, addresses)));
  });

  test('equal states are sound', () => {
    for (const verdicts of ranks) assert.equal(verdicts['the same everywhere'], 'sound');
  });

  test('one value that differs, if only in its last bit: both ranks end with 70 and name the tensor', () => {
    for (const [name, tensor] of [
      ['one bit on rank 1', 'bias.momentum'],
      ['a larger weight on rank 0', 'bias'],
    ] as const)
      for (const verdicts of ranks) {
        const message = `the ranks no longer agree on ${tensor}: resume from the last checkpoint, and check the machines' memory`;
        assert.deepEqual(verdicts[name], [70, 'REPLICAS_DIVERGED', message], name);
      }
  });

  test('what is no longer finite, on all ranks or on one of them, ends both with 77', () => {
    for (const [name, tensor] of [
      ['infinite on both', 'running_mean'],
      ['no number on both', 'weight'],
      ['no number on rank 1', 'weight'],
      ['no number on rank 0', 'weight'],
    ] as const)
      for (const verdicts of ranks) {
        const [exitCode, code, message] = verdicts[name] as Exclude<Verdicts[string], 'sound'>;
        assert.deepEqual([exitCode, code], [77, 'TRAINING_DIVERGED'], name);
        assert.match(message, new RegExp(`^pretrain: ${tensor} is no longer finite after step 7: `), name);
      }
  });
});
