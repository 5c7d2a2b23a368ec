import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { convert } from '../../trainer/interchange/convert.ts';
import { detectron2Name } from '../../trainer/interchange/detectron2.ts';
import { expected, fixtures, type ExpectedTensor } from './fixtures.ts';
import { pythonWithPackages } from './onnxruntime-packages.ts';

const folder = mkdtempSync(join(tmpdir(), 'simsiam-detectron2-'));
after(() => rmSync(folder, { recursive: true }));

const { run, skip } = await pythonWithPackages();

test("names are detectron2's", () => {
  const names = {
    'conv1.weight': 'stem.conv1.weight',
    'bn1.running_mean': 'stem.conv1.norm.running_mean',
    'layer1.0.conv3.weight': 'res2.0.conv3.weight',
    'layer4.2.bn2.bias': 'res5.2.conv2.norm.bias',
    'layer2.0.downsample.0.weight': 'res3.0.shortcut.weight',
    'layer2.0.downsample.1.running_var': 'res3.0.shortcut.norm.running_var',
  };
  for (const [ours, theirs] of Object.entries(names)) assert.equal(detectron2Name(ours), theirs);
});

test("a .pkl is read by Python's pickle as detectron2 reads it, to the byte", { skip }, async () => {
  const path = join(folder, 'backbone.pkl');
  await convert({ from: join(fixtures, 'pretrain.pth.tar'), to: path, backbone: false });
  const { model, ...rest } = (await run(join(fixtures, 'read-pkl.py'), path)) as {
    model: Record<string, ExpectedTensor>;
  };
  assert.deepEqual(rest, { author: 'simsiam-operator', matching: true });
  const wanted = Object.entries(expected.pretrain.tensors)
    .map(([name, tensor]) => [name.replace(/^module\./, ''), tensor] as const)
    .filter(([name]) => name.startsWith('encoder.') && !name.startsWith('encoder.fc.'))
    .map(([name, tensor]) => [detectron2Name(name.slice('encoder.'.length)), tensor] as const);
  assert.equal(wanted.length, 120);
  assert.deepEqual(model, Object.fromEntries(wanted));
});
