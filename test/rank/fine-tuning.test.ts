import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { decodeSafetensors } from '../../trainer/checkpoint/safetensors.ts';
import type { NamedTensor } from '../../trainer/checkpoint/tensors.ts';
import { floatsOf } from '../../trainer/checkpoint/tensors.ts';
import { readNetwork } from '../../trainer/interchange/read-network.ts';
import { simsiam } from '../cli/fixtures/processes.ts';
import type { TinyChanges } from './fixtures/tiny-run.ts';
import { killAll, Workplace, type Remains } from './fixtures/workplace.ts';

/** Half the labels of the four classes: 32 images, in batches of 12 on two ranks, the last one of 8. */
const changes: Omit<TinyChanges, 'storage'> = {
  pretrain: { epochs: 2 },
  linear: {
    ...{ epochs: 3, batchSize: 12, optimizer: 'sgd', learningRate: 0.5, backboneLearningRate: 0.2 },
    ...{ labelFraction: 0.5, baselines: false },
  },
};

describe('fine-tuning with a part of the labels', { timeout: 1_800_000 }, () => {
  let workplace: Workplace;
  let undisturbed: Remains;
  before(async () => {
    workplace = await Workplace.open();
    const { code, stderr } = await workplace.run({ storage: 'undisturbed', ...changes });
    assert.equal(code, 0, stderr);
    undisturbed = workplace.remains('undisturbed');
  });
  after(() => workplace.close());

  const tensorsOf = (remains: Remains, file: string): Map<string, NamedTensor> => {
    const { tensors } = decodeSafetensors(Buffer.from(remains.tensors[file]!, 'base64'));
    return new Map(tensors.map((tensor) => [tensor.name, tensor]));
  };

  test('the result says it', () => {
    const { linear } = undisturbed.result;
    assert.deepEqual(
      { ...linear, top1: 0, top5: 0 },
      { epochs: 3, top1: 0, top5: 0, fineTuned: true, labelFraction: 0.5 },
    );
    assert.ok(linear!.top1 > 25, `${linear!.top1} % of four classes`);
  });

  test("a checkpoint has the whole network by torchvision's names, moved away from what was pre-trained", () => {
    const pretrained = tensorsOf(undisturbed, 'pretrain model');
    const tuned = tensorsOf(undisturbed, 'linear model');
    assert.deepEqual([...tuned.keys()].slice(-2), ['fc.weight', 'fc.bias']);
    const backbone = [...pretrained.keys()].filter((name) => /^encoder\.(?!fc\.)/.test(name));
    assert.deepEqual(
      [...tuned.keys()].slice(0, -2),
      backbone.map((name) => name.slice('encoder.'.length)),
    );
    for (const name of ['conv1.weight', 'layer4.1.conv2.weight', 'layer2.0.bn1.bias', 'layer3.0.bn2.running_var']) {
      const before = floatsOf(pretrained.get(`encoder.${name}`)!.bytes);
      const now = floatsOf(tuned.get(name)!.bytes);
      assert.notDeepEqual(now, before, name);
      assert.ok(now.every(Number.isFinite), name);
    }
    // Two views in each of 16 steps, then three steps in each of three epochs.
    const counted = tuned.get('bn1.num_batches_tracked')!.bytes;
    assert.equal(Buffer.from(counted).readBigInt64LE(), 2n * 16n + 9n);
    const momenta = tensorsOf(undisturbed, 'linear optimizer');
    assert.ok(floatsOf(momenta.get('layer1.0.conv1.weight')!.bytes).some((momentum) => momentum !== 0));
  });

  test('stopped in the middle of an epoch and killed after a checkpoint, it ends bit-equal', async () => {
    const stopped = await workplace.start({ storage: 'resumed', ...changes });
    await stopped.said('"event":"progress","stage":"linear"');
    stopped.child.kill('SIGINT');
    assert.equal((await stopped.ended).code, 75);
    const killed = await workplace.start({ storage: 'resumed', ...changes });
    await killed.said('"event":"checkpoint","stage":"linear"');
    killAll(killed);
    assert.equal((await killed.ended).signal, 'SIGKILL');
    const { code, stderr } = await workplace.run({ storage: 'resumed', ...changes });
    assert.equal(code, 0, stderr);
    assert.deepEqual(workplace.remains('resumed'), undisturbed);
  });

  test('one rank gives what two give, but for rounding; its baseline is the same training from scratch', async () => {
    const linear = { ...changes.linear, baselines: true };
    const ended = await workplace.run({ storage: 'alone', ...changes, linear, workers: 1 });
    assert.equal(ended.code, 0, ended.stderr);
    const losses = (history: string): number[] =>
      history
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { loss: number }).loss);
    const alone = losses(workplace.remains('alone').histories.linear);
    losses(undisturbed.histories.linear).forEach((loss, epoch) => {
      assert.ok(Math.abs(alone[epoch]! - loss) < 0.02 * loss, `epoch ${epoch}: ${alone[epoch]}, ${loss}`);
    });
    const { rawPixels, untrained } = workplace.remains('alone').result.baselines!;
    assert.ok(rawPixels.linearTop1! > 25 && untrained.linearTop1! > 0);
  });

  test('its checkpoint is a network for embed and for torchvision, and its page says what it is', async () => {
    const latest = JSON.parse(readFileSync(workplace.path('undisturbed/linear/latest.json'), 'utf8')) as {
      checkpoints: { key: string }[];
    };
    const checkpoint = workplace.path('undisturbed', latest.checkpoints.at(-1)!.key);
    const features = await simsiam(
      'embed',
      workplace.path('data/val'),
      '--checkpoint',
      checkpoint,
      '--output',
      workplace.path('f.npy'),
    );
    assert.deepEqual([features.code, features.stderr], [0, '']);
    const converted = await simsiam('convert', checkpoint, workplace.path('backbone.safetensors'), '--backbone');
    assert.equal(converted.code, 0, converted.stderr);
    const { tensors } = await readNetwork(workplace.path('backbone.safetensors'));
    const tuned = tensorsOf(undisturbed, 'linear model');
    for (const { name, bytes } of tensors)
      assert.deepEqual(Buffer.from(bytes), Buffer.from(tuned.get(name)!.bytes), name);
    const page = await simsiam('report', workplace.path('undisturbed'), '-o', workplace.path('page.html'));
    assert.equal(page.code, 0, page.stderr);
    assert.match(readFileSync(workplace.path('page.html'), 'utf8'), /Fine-tuned top-1, 50 % of the labels/);
  });
});
