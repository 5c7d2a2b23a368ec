import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { apiVersion, kind, simSiamRunSchema } from '../../api/run.ts';
import type { SimSiamRun, SimSiamRunInput } from '../../api/run.ts';
import { PlacementError } from '../../trainer/launch/errors.ts';
import { planRanks, planWorker } from '../../trainer/launch/plan.ts';

function runOf(spec: Partial<SimSiamRunInput['spec']>): SimSiamRun {
  return simSiamRunSchema.parse({
    apiVersion,
    kind,
    metadata: { name: 'plan' },
    spec: { data: { train: 'train' }, storage: { uri: 'out' }, ...spec },
  });
}

const gpus = (count: number) => Array.from({ length: count }, (_, index) => ({ id: String(index), name: 'GPU' }));

describe('planRanks', () => {
  test('CPU ranks share the cores and hide the GPUs', () => {
    const plan = planRanks(runOf({ workers: 3 }), { cores: 8, gpus: [] });
    assert.equal(plan.device, 'cpu');
    assert.deepEqual(plan.ranks[2], {
      rank: 2,
      gpu: null,
      threads: 2,
      loaderThreads: 2,
      env: { CUDA_VISIBLE_DEVICES: '-1', TF_NUM_INTRAOP_THREADS: '2', TF_NUM_INTEROP_THREADS: '2' },
    });
  });

  test('more ranks than cores still have a thread each', () => {
    const { ranks } = planRanks(runOf({ workers: 4 }), { cores: 2, gpus: [] });
    assert.deepEqual(
      ranks.map(({ threads, loaderThreads }) => [threads, loaderThreads]),
      [
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    );
  });

  test('threads of the manifest win', () => {
    const run = runOf({ workers: 2, threadsPerRank: 3, loaderThreadsPerRank: 5 });
    const { threads, loaderThreads, env } = planRanks(run, { cores: 2, gpus: [] }).ranks[1]!;
    assert.deepEqual([threads, loaderThreads, env['TF_NUM_INTRAOP_THREADS']], [3, 5, '3']);
  });

  test('a GPU each', () => {
    const plan = planRanks(runOf({ workers: 2, gpusPerWorker: 2 }), { cores: 16, gpus: gpus(4) });
    assert.equal(plan.device, 'gpu');
    assert.deepEqual(
      plan.ranks.map(({ gpu, env }) => [gpu, env['CUDA_VISIBLE_DEVICES']]),
      ['0', '1', '2', '3'].map((id) => ['GPU', id]),
    );
  });

  test('gpusPerWorker 0 leaves GPUs alone', () => {
    const plan = planRanks(runOf({ workers: 1, gpusPerWorker: 0 }), { cores: 16, gpus: gpus(1) });
    assert.equal(plan.ranks[0]!.env['CUDA_VISIBLE_DEVICES'], '-1');
  });

  test('too few GPUs are an error, not a fall back to the cores', () => {
    assert.throws(
      () => planRanks(runOf({ workers: 4 }), { cores: 16, gpus: gpus(2) }),
      (error) => error instanceof PlacementError && /asks for 4 GPUs and this machine has 2/.test(error.message),
    );
  });

  test('NCCL without GPUs is an error before a rank starts', () => {
    assert.throws(
      () => planRanks(runOf({ collectives: 'nccl', gpusPerWorker: 0 }), { cores: 4, gpus: [] }),
      (error) => error instanceof PlacementError && /nccl is between GPUs/.test(error.message),
    );
  });
});

describe('planWorker', () => {
  test('one rank with all cores where no GPU is asked for, or none is there', () => {
    for (const run of [runOf({ workers: 4, gpusPerWorker: 0 }), runOf({ workers: 4, gpusPerWorker: 2 })]) {
      const { device, ranks } = planWorker(run, { cores: 6, gpus: [] });
      assert.deepEqual([device, ranks.map(({ rank, threads }) => [rank, threads])], ['cpu', [[0, 6]]]);
    }
  });

  test('a rank a GPU that is asked for, and the cores shared', () => {
    const { device, ranks } = planWorker(runOf({ workers: 4, gpusPerWorker: 2 }), { cores: 6, gpus: gpus(4) });
    assert.equal(device, 'gpu');
    assert.deepEqual(
      ranks.map(({ threads, env }) => [threads, env['CUDA_VISIBLE_DEVICES']]),
      [
        [3, '0'],
        [3, '1'],
      ],
    );
  });

  test('fewer GPUs than asked for are an error', () => {
    const run = runOf({ workers: 1, gpusPerWorker: 8 });
    assert.throws(() => planWorker(run, { cores: 6, gpus: gpus(4) }), /asks for 8 GPUs and this worker has 4/);
  });
});
