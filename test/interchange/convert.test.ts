import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { stringify } from 'yaml';

import { architectures, pretrainSchema } from '../../api/pretrain.ts';
import type { SimSiamRunInput } from '../../api/run.ts';
import { decodeSafetensors, encodeSafetensors } from '../../trainer/checkpoint/safetensors.ts';
import type { NamedTensor } from '../../trainer/checkpoint/tensors.ts';
import { convert } from '../../trainer/interchange/convert.ts';
import { ConvertError } from '../../trainer/interchange/errors.ts';
import { architectureOf, backboneOf } from '../../trainer/interchange/network.ts';
import { readTorchFile } from '../../trainer/interchange/torch-reader.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { described, expected, fixtures } from './fixtures.ts';

const original = join(fixtures, 'pretrain.pth.tar');

let folder: string;
const at = (name: string): string => join(folder, name);
const convertTo = (name: string, from = original, backbone = false) => convert({ from, to: at(name), backbone });

before(async () => (folder = await mkdtemp(join(tmpdir(), 'simsiam-convert-'))));
after(() => rm(folder, { recursive: true }));

async function tensorsIn(name: string): Promise<NamedTensor[]> {
  return decodeSafetensors(await readFile(at(name))).tensors;
}

function describedAll(tensors: readonly NamedTensor[]): object {
  return Object.fromEntries(tensors.map(({ name, dtype, shape, bytes }) => [name, described(dtype, shape, bytes)]));
}

/** The dict that a file of PyTorch holds. */
async function torchDict(name: string): Promise<ReadonlyMap<unknown, unknown>> {
  const { value } = readTorchFile(await readFile(at(name)));
  assert.ok(value instanceof Map);
  return value;
}

describe('a pre-training checkpoint that PyTorch wrote', () => {
  test('becomes a folder with its weights and momenta, by their names', async () => {
    const { arch, tensors, momentumBuffers } = await convertTo('imported');
    const { pretrain } = expected;
    assert.deepEqual(
      [arch, tensors, momentumBuffers],
      ['resnet18', Object.keys(pretrain.tensors).length, Object.keys(pretrain.momenta).length],
    );
    assert.deepEqual(describedAll(await tensorsIn('imported/model.safetensors')), pretrain.tensors);
    assert.deepEqual(describedAll(await tensorsIn('imported/optimizer.safetensors')), pretrain.momenta);
  });

  test('has the names, the order and the roles of the network that is trained here', async () => {
    const { entries } = simSiam(pretrainSchema.parse({ arch: 'resnet18' }));
    const names = Object.keys(expected.pretrain.tensors);
    assert.deepEqual(
      names,
      entries.map(({ name }) => name),
    );
    const trainable = entries.filter(({ role }) => role === 'trainable').map(({ name }) => name);
    assert.deepEqual(Object.keys(expected.pretrain.momenta), trainable);
  });

  test('folder → .pth.tar → folder is equal to the byte, epoch included', async () => {
    await convertTo('first');
    await convertTo('again.pth.tar', at('first'));
    await convertTo('second', at('again.pth.tar'));
    assert.deepEqual(await readdir(at('first')), ['model.safetensors', 'optimizer.safetensors', 'state.json']);
    for (const file of await readdir(at('first')))
      assert.deepEqual(await readFile(at(`second/${file}`)), await readFile(at(`first/${file}`)), file);
  });

  test('becomes a safetensors file, and that a .pth.tar without momentum', async () => {
    await convertTo('whole.safetensors');
    assert.deepEqual(describedAll(await tensorsIn('whole.safetensors')), expected.pretrain.tensors);
    const { momentumBuffers } = await convertTo('weights-only.pth.tar', at('whole.safetensors'));
    assert.equal(momentumBuffers, 0);
    const optimizer = (await torchDict('weights-only.pth.tar')).get('optimizer');
    assert.ok(optimizer instanceof Map);
    assert.deepEqual(optimizer.get('state'), new Map());
  });

  test("becomes torchvision's backbone, the same in both formats", async () => {
    await convertTo('backbone.pth');
    await convertTo('backbone.safetensors', original, true);
    await convertTo('again.safetensors', at('backbone.pth'));
    const names = Object.keys(expected.pretrain.tensors)
      .filter((name) => name.startsWith('encoder.') && !name.startsWith('encoder.fc.'))
      .map((name) => name.slice('encoder.'.length));
    assert.deepEqual([...(await torchDict('backbone.pth')).keys()], names);
    assert.deepEqual(await readFile(at('again.safetensors')), await readFile(at('backbone.safetensors')));
    assert.deepEqual(
      (await tensorsIn('backbone.safetensors')).map(({ name }) => name),
      names,
    );
  });

  test('becomes a safetensors file with a card beside it, once', async () => {
    await mkdir(at('carded'));
    const to = at('carded/backbone.safetensors');
    await convert({ from: original, to, backbone: true, card: true });
    const card = await readFile(at('carded/README.md'), 'utf8');
    assert.match(card, /^---\nlibrary_name: pytorch\n[^]*\n# resnet18, pre-trained by SimSiam\n/);
    assert.match(card, /\| epochs \| 3 \|/);
    assert.match(card, /model\.load_state_dict\(load_file\("backbone\.safetensors"\), strict=True\)/);
    const again = convert({ from: original, to: at('carded/b.safetensors'), backbone: true, card: true });
    await assert.rejects(again, { code: 'CONVERT_IMPOSSIBLE', message: /README\.md exists already/ });
    const elsewhere = convert({ from: original, to: at('c.pth'), backbone: false, card: true });
    await assert.rejects(elsewhere, { code: 'CONVERT_IMPOSSIBLE', message: /only those get a card/ });
    assert.deepEqual(await readdir(at('carded')), ['README.md', 'backbone.safetensors']);
  });

  test('becomes a .pkl for detectron2 with the bytes of every tensor', async () => {
    await convertTo('detectron2.pkl');
    const pkl = await readFile(at('detectron2.pkl'));
    await convertTo('for-detectron2.safetensors', original, true);
    for (const { bytes } of await tensorsIn('for-detectron2.safetensors')) assert.ok(pkl.includes(Buffer.from(bytes)));
    const text = pkl.toString('latin1');
    for (const name of [
      'stem.conv1.norm.weight',
      'res2.0.conv1.weight',
      'res5.0.shortcut.norm.running_var',
      'matching_heuristics',
    ])
      assert.ok(text.includes(name), name);
    assert.doesNotMatch(text, /encoder|predictor|fc\./);
  });
});

test('a checkpoint of a run brings its recipe and its epoch along', async () => {
  const key = 'run/pretrain/checkpoints/step-20-g1';
  await mkdir(at('run/pretrain/checkpoints'), { recursive: true });
  await mkdir(at('run/pretrain/history'));
  await convertTo(key);
  const run: SimSiamRunInput = {
    apiVersion: 'simsiam.dev/v1alpha1',
    kind: 'SimSiamRun',
    metadata: { name: 'a' },
    spec: {
      data: { train: 'data' },
      pretrain: { epochs: 4, batchSize: 128, learningRate: 0.5, fixPredictorLearningRate: false, weightDecay: 0.25 },
      linear: { epochs: 0 },
      storage: { uri: 'run' },
    },
  };
  await writeFile(at('run/run.yaml'), stringify(run));
  await writeFile(at('run/pretrain/history/step-20-g1.jsonl'), '{"step":19,"epoch":1}\n{"step":20,"epoch":2}\n');
  await convertTo('of-run.pth.tar', at(key));
  const file = await torchDict('of-run.pth.tar');
  assert.deepEqual([file.get('epoch'), file.get('arch')], [3, 'resnet18']);
  const optimizer = file.get('optimizer');
  assert.ok(optimizer instanceof Map);
  const groups = optimizer.get('param_groups');
  assert.ok(Array.isArray(groups) && groups.length === 1 && groups[0] instanceof Map);
  assert.deepEqual([groups[0].get('weight_decay'), groups[0].get('momentum')], [0.25, 0.9]);
  // 0.5 · 128 / 256, half a cosine down after 2 of 4 epochs.
  assert.equal((groups[0].get('lr') as number).toFixed(12), '0.125000000000');
});

test('the ResNets are told apart by the names of their tensors', () => {
  for (const arch of architectures) {
    const tensors = simSiam(pretrainSchema.parse({ arch })).entries.map(({ name }): NamedTensor => ({
      name,
      dtype: 'F32',
      shape: [0],
      bytes: new Uint8Array(),
    }));
    assert.equal(architectureOf(backboneOf(tensors)), arch);
  }
});

describe('what can not be converted is refused, and nothing is written', () => {
  const refused = async (conversion: () => Promise<unknown>, message: RegExp): Promise<void> => {
    const before = await readdir(folder);
    await assert.rejects(conversion, (error: Error) => error instanceof ConvertError && message.test(error.message));
    assert.deepEqual(await readdir(folder), before);
  };

  test('a target that exists', async () => {
    await writeFile(at('kept.pth'), 'mine');
    await refused(() => convertTo('kept.pth'), /exists already/);
    assert.equal(await readFile(at('kept.pth'), 'utf8'), 'mine');
  });
  test('a target of an unknown kind', () => refused(() => convertTo('a.h5'), /told by its end/));
  test('a source of an unknown kind', () =>
    refused(() => convertTo('a.pth', import.meta.filename), /give a \.pth\.tar/));
  test('a source that is not there', () => refused(() => convertTo('a.pth', at('nowhere.pth')), /can't be read/));
  test('a backbone as a checkpoint', () => refused(() => convertTo('b.pth.tar', original, true), /whole checkpoint/));
  test('a dict without tensors', () =>
    refused(() => convertTo('a.safetensors', join(fixtures, 'plain.pt')), /no ResNet/));
  test('a backbone alone as a .pth.tar', async () => {
    await convertTo('alone.pth');
    await refused(() => convertTo('alone.pth.tar', at('alone.pth')), /is of pre-training/);
  });
  test('bfloat16 for detectron2', async () => {
    await convertTo('float.safetensors', original, true);
    const halves = (await tensorsIn('float.safetensors')).map((tensor): NamedTensor =>
      tensor.dtype === 'F32'
        ? { ...tensor, dtype: 'BF16', bytes: tensor.bytes.subarray(0, tensor.bytes.length / 2) }
        : tensor,
    );
    await writeFile(at('half.safetensors'), Buffer.concat(encodeSafetensors(halves)));
    await refused(() => convertTo('half.pkl', at('half.safetensors')), /numpy doesn't have/);
  });
});
