import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { CurvePoint } from '../../api/worker.ts';
import { extended } from '../../trainer/telemetry/curve.ts';

const at = (step: number): CurvePoint => ({ step, loss: -step, outputStd: 0.01 });
const curveTo = (steps: number): readonly CurvePoint[] =>
  Array.from({ length: steps }, (_, i) => at(i + 1)).reduce(extended, [] as readonly CurvePoint[]);

describe('the curve of a training', () => {
  test('has every point while they are few', () => assert.deepEqual(curveTo(3), [at(1), at(2), at(3)]));

  test('stays short, in order, and ends with the newest point', () => {
    for (const steps of [257, 10_000]) {
      const curve = curveTo(steps);
      assert.ok(curve.length > 80 && curve.length <= 256, `${curve.length}`);
      assert.equal(curve.at(-1)!.step, steps);
      const gaps = curve.slice(1).map(({ step }, i) => step - curve[i]!.step);
      assert.ok(Math.min(...gaps) > 0);
      assert.ok(Math.max(...gaps) <= steps / 16, 'no part of it is left out');
    }
  });

  test('replaces the points of steps that are done again', () => {
    assert.deepEqual(extended(curveTo(9), { ...at(4), loss: 7 }), [at(1), at(2), at(3), { ...at(4), loss: 7 }]);
  });
});
