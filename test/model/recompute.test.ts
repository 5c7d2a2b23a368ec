import assert from 'node:assert/strict';
import { it } from 'node:test';
import { batchNorm } from '../../trainer/model/layers/batch-norm.ts';
import { again } from '../../trainer/model/layers/recompute.ts';
import { createScope } from '../../trainer/model/scope.ts';
import { tf } from '../../trainer/tensorflow/tfjs.ts';
import { evaluate, noise } from '../tensorflow/support.ts';

it('what batch norm made for a convolution is computed again, with the same bits, and what it added a skip to is kept', async () => {
  const [x, skip] = [noise(1, 4, 6, 6, 32), noise(2, 4, 6, 6, 32)];
  const layer = batchNorm({ name: 'bn', channels: 32, relu: true });
  const outputs = await evaluate([x, skip], (x, skip) => {
    const statistics = new Map([
      ['bn.running_mean', tf.zeros([32])],
      ['bn.running_var', tf.ones([32])],
    ]);
    const parameter = (name: string): tf.Tensor => (name === 'bn.weight' ? tf.ones([32]) : tf.fill([32], 0.1));
    const scope = createScope({ training: true, computeType: 'float32', parameter, statistics });
    const [alone] = layer.apply(scope, [x]) as [tf.Tensor];
    const [added] = layer.apply(scope, [x], [skip]) as [tf.Tensor];
    const repeated = again(alone.clone(), skip);
    assert.notEqual(repeated.dataId, alone.dataId);
    assert.equal(again(added, skip), added);
    return [alone, repeated];
  });
  assert.deepEqual(outputs[1], outputs[0]);
});
