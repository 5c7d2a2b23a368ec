import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import type { RunResult } from '../../api/run-result.ts';
import { tinyRun } from './fixtures/tiny-run.ts';
import { Workplace } from './fixtures/workplace.ts';

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
