import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import type { RunResult } from '../../api/run-result.ts';
import { tinyRun, type TinyChanges } from './fixtures/tiny-run.ts';
import { Workplace } from './fixtures/workplace.ts';

interface Left {
  readonly history: Record<string, number>[];
  readonly model: Buffer;
}

function left(workplace: Workplace, storage: string): Left {
  const read = (file: string): Buffer => readFileSync(workplace.path(storage, 'pretrain', file));
  const { checkpoints } = JSON.parse(read('latest.json').toString()) as { checkpoints: { key: string }[] };
  const file = (name: string): Buffer => readFileSync(workplace.path(storage, checkpoints.at(-1)!.key, name));
  return {
    history: read('history.jsonl')
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>),
    model: file('model.safetensors'),
  };
}

describe('the online linear probe', { timeout: 1_800_000 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.open();
  });
  after(() => workplace.close());

  /** Two parts a batch: the probe learns from the second. */
  const changes = (onlineProbeLearningRate?: number): Omit<TinyChanges, 'storage'> => ({
    pretrain: {
      ...{ epochs: 2, accumulationSteps: 2 },
      knn: { k: 5, bankSize: 64, ...(onlineProbeLearningRate !== undefined && { onlineProbeLearningRate }) },
    },
    linear: { epochs: 0, baselines: false },
  });

  test('is measured with the kNN, goes on after a stop, and leaves the network alone', async () => {
    const stopped = await workplace.start({ storage: 'with', ...changes(4) });
    await stopped.said('"event":"checkpoint","stage":"pretrain","step":8');
    stopped.child.kill('SIGINT');
    assert.equal((await stopped.ended).code, 75);
    for (const [storage, rate] of [
      ['with', 4],
      ['without', undefined],
    ] as const) {
      const { code, stderr } = await workplace.run({ storage, ...changes(rate) });
      assert.equal(code, 0, stderr);
    }
    const [probed, plain] = [left(workplace, 'with'), left(workplace, 'without')];
    const measured = probed.history.filter((record) => 'onlineTop1' in record);
    assert.deepEqual(
      measured.map(({ step }) => step),
      [8, 16],
    );
    // Crops of four different quarters of a photo: chance is a quarter.
    assert.ok(measured[1]!['onlineTop1']! > 30, `${measured[1]!['onlineTop1']} %`);
    for (const record of probed.history) delete record['onlineTop1'];
    assert.deepEqual(probed.history, plain.history);
    assert.deepEqual(probed.model, plain.model);
  });

  test('asks for labels', async () => {
    const data = { train: 'data/train/near', val: undefined } as unknown as { train: string };
    const ended = await workplace.run({ storage: 'unlabelled', ...changes(4), data });
    assert.equal(ended.code, 65);
    assert.match(
      ended.stderr,
      /^error: (?:rank \d: )?data\/train\/near has no labels, which the online probe needs: .*DATA_LABEL\]\n$/,
    );
  });
});

describe('a run without a validation set', { timeout: 300_000 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.open();
  });
  after(() => workplace.close());

  test('is watched by labelled training images that are held out of the bank', async () => {
    const { data } = tinyRun({ storage: 'x' }).spec;
    const ended = await workplace.run({
      ...{ storage: 'alone', data: { train: data.train, val: undefined } as unknown as { train: string } },
      ...{ pretrain: { epochs: 2 }, linear: { epochs: 0, baselines: false } },
    });
    assert.equal(ended.code, 0, ended.stderr);
    const records = readFileSync(workplace.path('alone/pretrain/history.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    assert.equal(records.length, 16);
    for (const [i, record] of records.entries()) {
      assert.ok(record['gradientNorm']! > 0);
      assert.equal('knnTop1' in record && 'probeTop1' in record, i === 7 || i === 15);
    }
    // Seven of the 64 are asked for: a tenth, rounded up.
    for (const figure of ['knnTop1', 'probeTop1']) {
      const correct = (records[15]![figure]! * 7) / 100;
      assert.ok(Math.abs(correct - Math.round(correct)) < 1e-4, `${figure} ${records[15]![figure]}`);
    }
    const result = JSON.parse(readFileSync(workplace.path('alone/result.json'), 'utf8')) as RunResult;
    assert.equal(typeof result.baselines!.rawPixels.knnTop1, 'number');
    assert.equal(result.linear, undefined);
  });
});
