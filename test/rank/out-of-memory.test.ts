import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { parseManifest } from '../../api/manifest.ts';
import { OutOfMemoryError } from '../../trainer/rank/errors.ts';
import { withMemoryAdvice } from '../../trainer/rank/out-of-memory.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tf } from '../../trainer/tensorflow/tfjs.ts';
import { tinyRun } from './fixtures/tiny-run.ts';

const { spec } = parseManifest(JSON.stringify(tinyRun({ storage: 'nowhere' })), 'the tiny run');
const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

/** What TensorFlow throws where a petabyte is asked for. */
async function exhausted(name: string): Promise<unknown> {
  const huge = runtime.trace(name, [[{ dtype: 'float32', shape: [1] }]], () => [[tf.fill([2 ** 24, 2 ** 24], 1)]]);
  const one = runtime.tensors([{ spec: { dtype: 'float32', shape: [1] }, bytes: Float32Array.of(1) }]);
  return await huge.call([one]).then(
    () => assert.fail('there was room'),
    (thrown: unknown) => thrown,
  );
}

test('memory that TensorFlow did not get is told with what to lower, by the stage', async () => {
  const thrown = await exhausted('pretrain_step');
  const told = withMemoryAdvice(thrown, spec, 2);
  assert.ok(told instanceof OutOfMemoryError, String(thrown));
  assert.match(
    told.message,
    /^out of memory: raise spec\.pretrain\.accumulationSteps \(1: 4 images at a time on each rank, twice\)/,
  );
  assert.match(told.message, /precision: bf16.*imageSize \(16\); TensorFlow: pretrain_step: /);
  assert.equal(told.exitCode, 64);
  const linear = withMemoryAdvice(await exhausted('linear_backbone_step'), spec, 2);
  assert.ok(linear instanceof OutOfMemoryError);
  assert.match(linear.message, /lower spec\.linear\.batchSize \(6, 3 on each rank\)/);
  const other = new Error('other');
  assert.equal(withMemoryAdvice(other, spec, 2), other);
});
