import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { recipeHash } from '../../api/recipe.ts';
import { simSiamRunSchema, type SimSiamRun } from '../../api/run.ts';
import { openStore } from '../../storage/open-store.ts';
import { CheckpointRepository } from '../../trainer/checkpoint/repository.ts';
import { writeResult } from '../../trainer/checkpoint/result.ts';
import { openRunRecord } from '../../trainer/checkpoint/run-record.ts';
import { isComplete } from '../../trainer/worker/completion.ts';
import { resultOf } from '../launch/fixtures/fake-run.ts';
import { tinyRun } from '../rank/fixtures/tiny-run.ts';

describe('whether a stage is complete', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-completion-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const runOf = (pretrain = {}): SimSiamRun => simSiamRunSchema.parse(tinyRun({ storage: folder, pretrain }));

  async function commit(run: SimSiamRun, step: number, totalSteps: number): Promise<void> {
    const store = await openStore(run.spec.storage);
    await openRunRecord(store, run);
    const hash = { recipeHash: recipeHash(run), keep: 2, clock: () => 0 };
    const repository = await CheckpointRepository.open({ ...hash, store, stage: 'pretrain' });
    await repository.latest();
    await repository.commit({ step, model: [], optimizer: [], state: { totalSteps }, history: [{ step }] });
  }

  test('nothing is, where nothing was written', async () => {
    assert.equal(await isComplete(runOf(), ['pretrain']), false);
    assert.equal(await isComplete(runOf(), ['linear']), false);
  });

  test('pre-training is, with a checkpoint of its last step', async () => {
    await commit(runOf(), 8, 24);
    assert.equal(await isComplete(runOf(), ['pretrain']), false);
    await commit(runOf(), 24, 24);
    assert.equal(await isComplete(runOf(), ['pretrain']), true);
    assert.equal(await isComplete(runOf(), ['linear']), false);
    assert.equal(await isComplete(runOf(), ['pretrain', 'linear']), false);
  });

  test('it is not, where no linear stage follows: its result is missing', async () => {
    const run = simSiamRunSchema.parse(tinyRun({ storage: folder, linear: { epochs: 0, baselines: false } }));
    await commit(run, 24, 24);
    assert.equal(await isComplete(run, ['pretrain']), false);
  });

  test('it is not, where its last checkpoint is damaged', async () => {
    await commit(runOf(), 24, 24);
    await writeFile(join(folder, 'pretrain/checkpoints/step-24-g1/state.json'), '{}');
    assert.equal(await isComplete(runOf(), ['pretrain']), false);
  });

  test('both stages are, with a result of this recipe', async () => {
    const run = runOf();
    const store = await openStore(run.spec.storage);
    await openRunRecord(store, run);
    await writeResult(store, resultOf(2), recipeHash(run));
    for (const stages of [['pretrain'], ['linear'], ['pretrain', 'linear']] as const)
      assert.equal(await isComplete(run, stages), true);
    assert.equal(await isComplete(runOf({ epochs: 4 }), ['pretrain']), false);
  });
});
