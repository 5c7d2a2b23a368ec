import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { RunResult } from '../../api/run-result.ts';
import { decodeSafetensors } from '../../trainer/checkpoint/safetensors.ts';
import { described, expected, fixtures } from '../interchange/fixtures.ts';
import { eventsOf, Workplace } from './fixtures/workplace.ts';

/** Written by PyTorch after three epochs. */
const original = join(fixtures, 'pretrain.pth.tar');
/** What its network is. */
const itsNetwork = { stem: 'imagenet', width: 1, dim: 4, predictorDim: 2, imageSize: 32 } as const;
const pretrainingOnly = { epochs: 0, baselines: false } as const;

describe('a run that starts from a file of PyTorch', { timeout: 300_000 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.open();
  });
  after(() => workplace.close());

  test('resumeFrom goes on with its weights, its momenta and its epoch', async () => {
    const pretrain = { ...itsNetwork, resumeFrom: original, epochs: 4, learningRate: 0 };
    const ended = await workplace.run({ storage: 'resumed', pretrain, linear: pretrainingOnly });
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /"phase":"Pretraining","detail":"resumed at step 24"/);
    const lines = readFileSync(workplace.path('resumed/pretrain/history.jsonl'), 'utf8').trimEnd().split('\n');
    const steps = lines.map((line) => JSON.parse(line) as { step: number; epoch: number });
    assert.deepEqual(
      steps.map(({ step, epoch }) => [step, epoch]),
      Array.from({ length: 8 }, (_, i) => [25 + i, 3]),
    );
    const result = eventsOf(ended).at(-1) as unknown as RunResult;
    assert.deepEqual([result.pretrain.epochs, result.pretrain.steps], [4, 32]);
    const file = readFileSync(workplace.path('resumed/pretrain/checkpoints/step-32-g1/model.safetensors'));
    for (const { name, dtype, shape, bytes } of decodeSafetensors(file).tensors) {
      if (/running|num_batches/.test(name)) continue;
      assert.deepEqual(described(dtype, shape, bytes), expected.pretrain.tensors[name], `${name}, at a rate of 0`);
    }
  });

  test('resumeFrom with nothing left to train is refused', async () => {
    const pretrain = { ...itsNetwork, resumeFrom: original, epochs: 3 };
    const ended = await workplace.run({ storage: 'no-epochs', pretrain, linear: pretrainingOnly });
    assert.match(
      ended.stderr,
      /^error: .*resumeFrom: .*pretrain\.pth\.tar has 3 epochs and spec\.pretrain\.epochs is 3: raise it \[PRETRAIN_INIT_FROM\]\n$/,
    );
    assert.equal(ended.code, 64);
  });

  test('startEpoch begins there; initFrom takes the weights alone', async () => {
    const pretrain = { ...itsNetwork, initFrom: original, startEpoch: 2, epochs: 3 };
    const ended = await workplace.run({ storage: 'started', pretrain, linear: pretrainingOnly });
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /"phase":"Pretraining","detail":"resumed at step 16"/);
  });

  test('epochs: 0 evaluates its backbone, and trains nothing', async () => {
    const pretrain = { ...itsNetwork, initFrom: original, epochs: 0 };
    const ended = await workplace.run({ storage: 'evaluated', pretrain, linear: { epochs: 2, baselines: false } });
    assert.equal(ended.code, 0, ended.stderr);
    const { pretrain: trained, linear, baselines } = eventsOf(ended).at(-1) as unknown as RunResult;
    assert.deepEqual([trained.epochs, trained.steps, trained.finalLoss], [0, 0, undefined]);
    assert.equal(linear!.epochs, 2);
    assert.ok(linear!.top5 >= linear!.top1 && linear!.top5 > 0);
    assert.equal(baselines, undefined);
    assert.match(ended.stderr, /given backbone/);
    assert.doesNotMatch(ended.stderr, /output std/);
  });

  test('a backbone of another depth is refused by its first tensor', async () => {
    const pretrain = { ...itsNetwork, arch: 'resnet50', initFrom: original, epochs: 0 } as const;
    const ended = await workplace.run({ storage: 'deeper', pretrain, linear: { epochs: 2, baselines: false } });
    assert.match(ended.stderr, /^error: .*initFrom: .*is of another architecture.*\[CHECKPOINT_MISMATCH\]\n$/);
    assert.equal(ended.code, 64);
  });
});
