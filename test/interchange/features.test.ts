import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { pretrainSchema } from '../../api/pretrain.ts';
import { backboneExtractor } from '../../trainer/evaluate/network-extractor.ts';
import { readTorchFile } from '../../trainer/interchange/torch-reader.ts';
import { fromTorch } from '../../trainer/interchange/torch-checkpoint.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { fromTensors } from '../../trainer/pretrain/checkpoint-tensors.ts';
import { StateCodec } from '../../trainer/pretrain/state.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { expected, fixture } from './fixtures.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

test("an imported backbone has PyTorch's features, within 1e-6", async () => {
  const network = fromTorch(readTorchFile(fixture('pretrain.pth.tar')));
  // As narrow as the fixture, which is a file to be committed.
  const spec = { ...pretrainSchema.parse({ arch: 'resnet18' }), width: 1, dim: 4, predictorDim: 2 };
  const model = simSiam(spec);
  const values = fromTensors(model.entries, { model: network.tensors, optimizer: network.momenta }, 'the fixture');
  const state = await new StateCodec(runtime, model).build(values);
  const extractor = backboneExtractor({ model, spec, state });

  const images = { dtype: 'uint8', shape: [2, 64, 64, 3] } as const;
  const pixels = Uint8Array.from({ length: 2 * 64 * 64 * 3 }, (_, i) => Math.floor((i * i) / 7) % 256);
  const extract = runtime.trace('imported', [extractor.state.specs, [images]], (tensors, [batch]) => [
    [extractor.features(tensors, batch!)],
  ]);
  const [found] = await extract.call([extractor.state, runtime.tensors([{ spec: images, bytes: pixels }])]);
  const features = await found!.readFloats(0);
  const wanted = expected.pretrain.features.flat();
  assert.equal(features.length, wanted.length);
  assert.ok(wanted.some((value) => value > 0.01));
  wanted.forEach((value, i) => assert.ok(Math.abs(features[i]! - value) < 1e-6, `${features[i]} instead of ${value}`));
});
