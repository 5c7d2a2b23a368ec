import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import sharp from 'sharp';

import { runProgram } from '../../scripts/setup/process.ts';
import { decodeSafetensors } from '../../trainer/checkpoint/safetensors.ts';
import { decodeNpy } from '../../trainer/embed/npy.ts';
import { simsiam, start } from '../cli/fixtures/processes.ts';
import { noise } from '../data/images.ts';
import { tinyRun, writeTinyData } from '../rank/fixtures/tiny-run.ts';
import { described, fixtures, type ExpectedTensor } from './fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'simsiam-pytorch-'));
after(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]): string => join(folder, ...names);

/** A Python that has PyTorch; `SIMSIAM_PYTORCH` names one. */
async function pythonWithTorch(): Promise<string | undefined> {
  for (const python of [process.env['SIMSIAM_PYTORCH'], process.env['PYTHON'], 'python3', '/usr/bin/python3']) {
    if (python && (await runProgram(python, ['-c', 'import torch']))?.code === 0) return python;
  }
  return undefined;
}
const python = await pythonWithTorch();
const skip =
  python === undefined && 'no Python here has PyTorch: apt-get install python3-torch, or name one by SIMSIAM_PYTORCH';
if (skip) process.stderr.write(`SKIPPED, not passed: the test with PyTorch. Reason: ${skip}\n`);

interface Loaded {
  readonly epoch: number;
  readonly arch: string;
  readonly tensors: Record<string, ExpectedTensor>;
  readonly momenta: Record<string, ExpectedTensor>;
  readonly features: number[][];
  readonly isSameBackbone: boolean;
  readonly isFinite: boolean;
}

const side = 32;

test("PyTorch's checkpoint is trained on here, and what comes of it is loaded in PyTorch", { skip }, async () => {
  await writeTinyData(at('data'));
  const imported = await simsiam('convert', join(fixtures, 'pretrain.pth.tar'), at('imported'));
  assert.equal(imported.code, 0, imported.stderr);
  const network = { stem: 'imagenet', width: 1, dim: 4, predictorDim: 2, initFrom: at('imported') } as const;
  const pretrain = { ...network, epochs: 2, imageSize: side, knn: { everyEpochs: 0 } };
  const run = tinyRun({ workers: 1, storage: at('run'), pretrain, linear: { epochs: 0, baselines: false } });
  const { val: _, ...data } = run.spec.data;
  writeFileSync(at('run.yaml'), JSON.stringify({ ...run, spec: { ...run.spec, data } }));
  const trained = await start('simsiam', ['run', '-f', at('run.yaml')], folder).ended;
  assert.equal(trained.code, 0, trained.stderr);

  const exported = await simsiam('convert', at('run'), at('exported.pth.tar'));
  assert.equal(exported.code, 0, exported.stderr);
  const backbone = await simsiam('convert', at('run'), at('backbone.pth'));
  assert.equal(backbone.code, 0, backbone.stderr);
  const pixels = Buffer.concat([noise(1, side, side), noise(2, side, side)]);
  writeFileSync(at('pixels.raw'), pixels);
  mkdirSync(at('images'));
  for (const i of [0, 1]) {
    const image = pixels.subarray(i * 3 * side * side, (i + 1) * 3 * side * side);
    await sharp(image, { raw: { width: side, height: side, channels: 3 } }).toFile(at('images', `${i}.png`));
  }
  const embedded = await simsiam('embed', at('images'), '--checkpoint', at('run'), '--output', at('features.npy'));
  assert.equal(embedded.code, 0, embedded.stderr);

  const script = join(fixtures, 'load-pytorch.py');
  const loading = await runProgram(
    python!,
    [script, ...['exported.pth.tar', 'backbone.pth', 'pixels.raw'].map((name) => at(name)), String(side)],
    { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  );
  assert.equal(loading?.code, 0, loading?.stderr);
  const loaded = JSON.parse(loading.stdout) as Loaded;
  assert.deepEqual([loaded.epoch, loaded.arch, loaded.isSameBackbone, loaded.isFinite], [2, 'resnet18', true, true]);
  const tensorsOf = (file: string): Record<string, ExpectedTensor> => {
    const { tensors } = decodeSafetensors(readFileSync(at('run/pretrain/checkpoints/step-16-g1', file)));
    return Object.fromEntries(tensors.map(({ name, dtype, shape, bytes }) => [name, described(dtype, shape, bytes)]));
  };
  assert.deepEqual(loaded.tensors, tensorsOf('model.safetensors'));
  assert.deepEqual(loaded.momenta, tensorsOf('optimizer.safetensors'));
  const { values } = decodeNpy(readFileSync(at('features.npy')), 'features.npy');
  const wanted = loaded.features.flat();
  assert.equal(values.length, wanted.length);
  assert.ok(wanted.some((value) => value > 0.01));
  wanted.forEach((value, i) => assert.ok(Math.abs(value - values[i]!) < 1e-4, `${values[i]} instead of ${value}`));
});
