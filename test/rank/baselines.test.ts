import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { parseManifest } from '../../api/manifest.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { StateCodec } from '../../trainer/pretrain/state.ts';
import { untrainedBackbone } from '../../trainer/rank/baselines.ts';
import { Runtime, type TensorList } from '../../trainer/tensorflow/runtime.ts';
import { floatsOf } from '../support/arrays.ts';
import { tinyRun } from './fixtures/tiny-run.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

test("the untrained backbone has the run's first weights, but residual gammas of 1 in place of 0", async () => {
  const run = parseManifest(JSON.stringify(tinyRun({ storage: 'nowhere', pretrain: { seed: 3 } })), 'the tiny run');
  const spec = run.spec.pretrain;
  assert.equal(spec.zeroInitResidual, true);
  const codec = new StateCodec(runtime, simSiam(spec));
  const first = await codec.initial(spec.seed);
  const untrained = await untrainedBackbone({ runtime, run });
  const { trainable } = codec.groups;
  const floats = async (list: TensorList): Promise<Float32Array[]> => (await list.readAll()).map(floatsOf);
  // The trainable tensors come first in an extractor's state.
  const [expected, own] = [await floats(first.trainable), await floats(untrained.state)];
  const gammas = trainable.flatMap(({ name }, i) => (/layer\d\.\d\.bn2\.weight$/.test(name) ? [i] : []));
  assert.equal(gammas.length, 8, 'of the eight blocks of a ResNet-18');
  for (const [i, { name }] of trainable.entries()) {
    const isGamma = gammas.includes(i);
    if (isGamma) assert.ok(expected[i]!.every((value) => value === 0));
    assert.deepEqual(own[i], isGamma ? expected[i]!.map(() => 1) : expected[i], name);
  }
});
