import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { pretrainSchema } from '../../api/pretrain.ts';
import { encodeSafetensors } from '../../trainer/checkpoint/safetensors.ts';
import { bytesOf } from '../../trainer/checkpoint/tensors.ts';
import { backboneExtractor } from '../../trainer/evaluate/network-extractor.ts';
import { convert } from '../../trainer/interchange/convert.ts';
import { initialValues } from '../../trainer/model/state.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { outlineOf } from '../../trainer/pretrain/checkpoint-tensors.ts';
import { StateCodec } from '../../trainer/pretrain/state.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { expected, fixtures } from './fixtures.ts';
import { pythonWithPackages } from './onnxruntime-packages.ts';

const folder = mkdtempSync(join(tmpdir(), 'simsiam-onnx-'));
after(() => rmSync(folder, { recursive: true }));

const { run, skip } = await pythonWithPackages();

const { normalize } = pretrainSchema.parse({});

/** uint8 [n, side, side, 3] as the model takes it: float32 [n, 3, side, side], normalised. */
function normalized(pixels: Uint8Array, side: number): Float32Array {
  return Float32Array.from({ length: pixels.length }, (_, at) => {
    const image = Math.floor(at / (3 * side * side));
    const [channel, place] = [Math.floor(at / (side * side)) % 3, at % (side * side)];
    const value = pixels[(image * side * side + place) * 3 + channel]! / 255;
    return (value - normalize.mean[channel]!) / normalize.std[channel]!;
  });
}

async function runOnnx(model: string, pixels: Uint8Array, side: number): Promise<OnnxAnswer> {
  const file = join(folder, 'images.raw');
  writeFileSync(file, normalized(pixels, side));
  const shape = [pixels.length / (3 * side * side), 3, side, side].map(String);
  return (await run(join(fixtures, 'run-onnx.py'), model, file, ...shape)) as OnnxAnswer;
}

interface OnnxAnswer {
  readonly features: number[][];
  readonly metadata: Record<string, string>;
}

function assertNear(found: readonly number[], wanted: ArrayLike<number>): void {
  assert.equal(found.length, wanted.length);
  const scale = Math.max(...found.map(Math.abs));
  assert.ok(scale > 0.01);
  found.forEach((value, i) =>
    assert.ok(Math.abs(value - wanted[i]!) < 1e-4 * Math.max(1, scale), `${value} ${wanted[i]}`),
  );
}

describe('a backbone exported to ONNX, in onnxruntime', { skip }, () => {
  test("has PyTorch's features, in batches of any size, and says how it wants its images", async () => {
    const model = join(folder, 'resnet18.onnx');
    await convert({ from: join(fixtures, 'pretrain.pth.tar'), to: model, backbone: false });
    const pixels = Uint8Array.from({ length: 2 * 64 * 64 * 3 }, (_, i) => Math.floor((i * i) / 7) % 256);
    const both = await runOnnx(model, pixels, 64);
    assertNear(both.features.flat(), expected.pretrain.features.flat());
    const { mean, std, ...metadata } = both.metadata;
    assert.deepEqual(metadata, { arch: 'resnet18', imageSize: '224' });
    assert.deepEqual({ mean: JSON.parse(mean!), std: JSON.parse(std!) }, normalize);
    const first = await runOnnx(model, pixels.subarray(0, pixels.length / 2), 64);
    assertNear(first.features.flat(), expected.pretrain.features[0]!);
  });

  test('has our features: bottlenecks, and the stem for small images', async () => {
    const spec = {
      ...pretrainSchema.parse({ arch: 'resnet50', stem: 'cifar', zeroInitResidual: false }),
      width: 4,
      dim: 8,
    };
    const network = simSiam(spec);
    const weights = initialValues(network.entries, 7);
    for (const [name, values] of weights) {
      // Statistics and scales as a trained network has them, each another one.
      if (/running_mean|\.bias$/.test(name)) values.forEach((_, i) => (values[i] = Math.sin(i + name.length) / 4));
      if (/running_var|bn\d\.weight$/.test(name)) values.forEach((_, i) => (values[i] = 1 + Math.cos(i) / 4));
    }
    const file = join(folder, 'resnet50.safetensors');
    const tensors = network.entries.map((entry) => ({
      ...outlineOf(entry),
      bytes: entry.role === 'counter' ? new Uint8Array(8) : bytesOf(weights.get(entry.name)!),
    }));
    writeFileSync(file, Buffer.concat(encodeSafetensors(tensors)));
    await convert({ from: file, to: join(folder, 'resnet50.onnx'), backbone: false });

    const images = { dtype: 'uint8', shape: [3, 32, 32, 3] } as const;
    const pixels = Uint8Array.from({ length: 3 * 32 * 32 * 3 }, (_, i) => Math.floor((i * i) / 11) % 256);
    const runtime = Runtime.open({ threads: 1 });
    const named = new Map([...weights].map(([name, values]) => [name, bytesOf(values)]));
    const state = await new StateCodec(runtime, network).network(named);
    const extractor = backboneExtractor({ model: network, spec, state });
    const extract = runtime.trace('ours', [extractor.state.specs, [images]], (list, [batch]) => [
      [extractor.features(list, batch!)],
    ]);
    const [ours] = await extract.call([extractor.state, runtime.tensors([{ spec: images, bytes: pixels }])]);
    const { features } = await runOnnx(join(folder, 'resnet50.onnx'), pixels, 32);
    assertNear(features.flat(), await ours!.readFloats(0));
    runtime.close();
  });
});
