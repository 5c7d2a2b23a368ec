import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Command } from 'commander';

import { addLinearFlags, addPretrainFlags, type LinearFlags, type PretrainFlags } from '../../cli/original/flags.ts';
import { linearManifest, pretrainManifest, runOf, type Surroundings } from '../../cli/original/run-of-flags.ts';
import { UsageError } from '../../cli/errors.ts';
import type { SimSiamRunSpec } from '../../api/run.ts';

const cpu: Surroundings = {
  ...{ data: { train: 'd/train', val: 'd/val' }, machines: 1, gpus: 0, cores: 4 },
  store: './simsiam-pretrain',
};

function flagsOf<T extends object>(add: (command: Command) => Command, args: readonly string[]): T {
  const command = add(new Command().exitOverride()).action(() => {});
  command.parse(['data', ...args], { from: 'user' });
  return command.opts<T>();
}
const pretrain = (args: readonly string[], around: Partial<Surroundings> = {}): SimSiamRunSpec =>
  runOf(pretrainManifest(flagsOf<PretrainFlags>(addPretrainFlags, args), { ...cpu, ...around })).spec;
const linear = (args: readonly string[], around: Partial<Surroundings> = {}): SimSiamRunSpec =>
  runOf(linearManifest(flagsOf<LinearFlags>(addLinearFlags, args), { ...cpu, ...around })).spec;

describe("the original's flags", () => {
  test('pre-training: its defaults', () => {
    const { workers, gpusPerWorker, loaderThreadsPerRank, collectives, linear: after, ...spec } = pretrain([]);
    assert.deepEqual([workers, gpusPerWorker, loaderThreadsPerRank, collectives], [1, 0, 4, undefined]);
    assert.equal(after.epochs, 0);
    const { arch, epochs, batchSize, learningRate, momentum, weightDecay, dim, predictorDim } = spec.pretrain;
    assert.deepEqual(
      { arch, epochs, batchSize, learningRate, momentum, weightDecay, dim, predictorDim },
      {
        ...{ arch: 'resnet50', epochs: 100, batchSize: 512, learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 },
        ...{ dim: 2048, predictorDim: 512 },
      },
    );
    // On in the README's command, not by default.
    assert.equal(spec.pretrain.fixPredictorLearningRate, false);
  });

  test("pre-training: the command of the original's README, and every other flag", () => {
    const args =
      '-a resnet18 -j 7 --epochs 5 --start-epoch 2 -b 96 --lr 0.03 --momentum 0.8 --wd 5e-4 -p 3 ' +
      '--resume x.pth.tar --dist-backend nccl --seed 3 --multiprocessing-distributed --dim 64 --pred-dim 16 --fix-pred-lr';
    const spec = pretrain(args.split(' '), { gpus: 3, machines: 2 });
    assert.deepEqual(
      [spec.workers, spec.gpusPerWorker, spec.loaderThreadsPerRank, spec.collectives],
      [2, 3, 3, 'nccl'],
    );
    const { knn: _, augmentation: __, normalize: ___, ablation: ____, ...given } = spec.pretrain;
    assert.deepEqual(given, {
      ...{ arch: 'resnet18', stem: 'imagenet', width: 64, zeroInitResidual: true, imageSize: 224, epochs: 5 },
      ...{ batchSize: 96, learningRate: 0.03, momentum: 0.8, weightDecay: 5e-4, dim: 64, predictorDim: 16 },
      ...{ projectorLayers: 3, fixPredictorLearningRate: true, precision: 'fp32', seed: 3 },
      ...{ resumeFrom: 'x.pth.tar', startEpoch: 2 },
    });
    assert.deepEqual(pretrain(['--learning-rate', '1', '--weight-decay', '0']).pretrain.weightDecay, 0);
    assert.equal(pretrain([], { gpus: 8 }).gpusPerWorker, 1, 'one GPU without --multiprocessing-distributed');
  });

  test('linear evaluation: its defaults, and its flags', () => {
    const spec = linear(['--pretrained', 'p.pth.tar']);
    const { epochs, batchSize, learningRate, weightDecay, optimizer } = spec.linear;
    assert.deepEqual([epochs, batchSize, learningRate, weightDecay, optimizer], [90, 4096, 0.1, 0, 'sgd']);
    assert.deepEqual([spec.pretrain.epochs, spec.pretrain.initFrom], [0, 'p.pth.tar']);
    const lars = linear(['--pretrained', 'p.pth.tar', '--lars', '--lr', '0.2', '-b', '64', '--resume', 'c.pth.tar']);
    assert.deepEqual([lars.linear.optimizer, lars.linear.learningRate, lars.linear.batchSize], ['lars', 0.2, 64]);
    assert.equal(lars.linear.resumeFrom, 'c.pth.tar');
    const measured = linear(['-e', '--resume', 'c.pth.tar']);
    assert.deepEqual([measured.pretrain.initFrom, measured.linear.evaluateOnly], ['c.pth.tar', true]);
  });

  test('--set reaches every field of the manifest', () => {
    const { pretrain: spec } = pretrain(['--set', 'pretrain.stem=cifar', '--set', 'pretrain.knn.k=5']);
    assert.deepEqual([spec.stem, spec.knn.k], ['cifar', 5]);
    assert.equal(pretrain(['--set', 'pretrain.augmentation=none']).pretrain.augmentation, 'none');
  });

  const wrong: [string, () => unknown, RegExp][] = [
    ['a batch that its ranks do not divide', () => pretrain(['-b', '9'], { machines: 2 }), /^--batch-size: 9 is not/],
    [
      'the same for linear evaluation, told once',
      () => linear(['--pretrained', 'p', '-b', '9'], { machines: 2 }),
      /^--batch-size: 9[^;]*$/,
    ],
    ['an unknown field', () => pretrain(['--set', 'pretrain.stems=cifar']), /^spec\.pretrain\.stems: no such field/],
    ['a place of its own for the store', () => pretrain(['--set', 'storage.uri=x']), /--output/],
    ['no path', () => pretrain(['--set', 'x']), /path=value/],
    ['a prototype', () => pretrain(['--set', '__proto__.x=1']), /path=value/],
    ['a start after the end', () => pretrain(['--start-epoch', '100']), /^--start-epoch: 100 is not allowed/],
    ['half an epoch', () => pretrain(['--epochs', '0.5']), /^--epochs: 0\.5 is not allowed/],
    ['no backbone', () => linear([]), /--pretrained is needed/],
    ['nothing to evaluate', () => linear(['-e', '--pretrained', 'p']), /--evaluate needs --resume/],
    ['no validation images', () => linear(['--pretrained', 'p'], { data: { train: 'd' } }), /^<data>\/val: missing/],
  ];
  for (const [name, act, message] of wrong)
    test(`${name}: refused by the flag's name`, () => {
      assert.throws(act, (thrown: unknown) => {
        assert.ok(thrown instanceof UsageError);
        assert.match(thrown.message, message);
        return true;
      });
    });
});
