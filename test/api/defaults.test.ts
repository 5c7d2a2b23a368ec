import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterRanks, localRanks } from '../../api/ranks.ts';
import { type SimSiamRun, simSiamRunSchema } from '../../api/run.ts';
import { smallestRun } from './smallest-run.ts';

const { spec }: SimSiamRun = simSiamRunSchema.parse(smallestRun);

test("pre-training's defaults are those of the original's flags and its README's command", () => {
  const { arch, epochs, batchSize, learningRate, momentum, weightDecay, dim, predictorDim } = spec.pretrain;
  assert.deepEqual(
    { arch, epochs, batchSize, learningRate, momentum, weightDecay, dim, predictorDim },
    {
      arch: 'resnet50',
      epochs: 100,
      batchSize: 512,
      learningRate: 0.05,
      momentum: 0.9,
      weightDecay: 1e-4,
      dim: 2048,
      predictorDim: 512,
    },
  );
  assert.equal(spec.pretrain.fixPredictorLearningRate, true);
});

test("pre-training's views are those of MoCo v2", () => {
  assert.deepEqual(spec.pretrain.augmentation, {
    cropScale: [0.2, 1],
    cropRatio: [3 / 4, 4 / 3],
    colorJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1, probability: 0.8 },
    grayscaleProbability: 0.2,
    blur: { sigma: [0.1, 2], probability: 0.5 },
    flipProbability: 0.5,
  });
  assert.deepEqual(spec.pretrain.normalize, { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
  assert.equal(spec.pretrain.imageSize, 224);
});

test("linear evaluation's defaults are those of the original's flags and its README's command", () => {
  assert.deepEqual(spec.linear, {
    epochs: 90,
    batchSize: 4096,
    learningRate: 0.1,
    momentum: 0.9,
    weightDecay: 0,
    optimizer: 'lars',
    cropScale: [0.08, 1],
    flipProbability: 0.5,
    baselines: false,
  });
});

test('two runs share none of their defaults', () => {
  const other = simSiamRunSchema.parse(smallestRun);
  assert.notEqual(other.spec.pretrain.normalize.mean, spec.pretrain.normalize.mean);
});

test('a worker has a rank for each GPU, or one on the CPU', () => {
  assert.equal(clusterRanks({ workers: 3, gpusPerWorker: 0 }), 3);
  assert.equal(clusterRanks({ workers: 3, gpusPerWorker: 1 }), 3);
  assert.equal(clusterRanks({ workers: 3, gpusPerWorker: 8 }), 24);
});

test('a machine runs on its GPUs where they suffice, else on the CPU', () => {
  assert.deepEqual(localRanks({ workers: 2, gpusPerWorker: 2 }, 4), { ranks: 4, onGpu: true });
  assert.deepEqual(localRanks({ workers: 2, gpusPerWorker: 2 }, 3), { ranks: 2, onGpu: false });
  assert.deepEqual(localRanks({ workers: 2, gpusPerWorker: 0 }, 8), { ranks: 2, onGpu: false });
});
