import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import sharp from 'sharp';

import { decodeSafetensors } from '../../trainer/checkpoint/safetensors.ts';
import { floatsOf } from '../../trainer/checkpoint/tensors.ts';
import { decodeNpy } from '../../trainer/embed/npy.ts';
import { readLabelledFeatures } from '../../trainer/embed/read-features.ts';
import { simsiam } from '../cli/fixtures/processes.ts';
import { expected, fixtures } from '../interchange/fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'simsiam-embed-'));
const images = join(folder, 'images');
const checkpoint = join(fixtures, 'pretrain.pth.tar');
const side = 64;
const at = (name: string): string => join(folder, name);

before(async () => {
  // The images whose features PyTorch computed (fixtures/make.py), as files. At 64 pixels nothing is resized.
  const pixels = Uint8Array.from({ length: 2 * side * side * 3 }, (_, i) => Math.floor((i * i) / 7) % 256);
  for (const [name, index] of [
    ['b/deep/1', 0],
    ['c/0', 1],
    ['a/2', 0],
  ] as const) {
    const image = pixels.slice(index * side * side * 3, (index + 1) * side * side * 3);
    mkdirSync(join(images, name, '..'), { recursive: true });
    await sharp(image, { raw: { width: side, height: side, channels: 3 } }).toFile(join(images, `${name}.png`));
  }
});
after(() => rmSync(folder, { recursive: true }));

const order = [0, 0, 1];
const wanted = order.map((index) => expected.pretrain.features[index]!);

function assertFeatures(values: Float32Array): void {
  const all = wanted.flat();
  assert.equal(values.length, all.length);
  all.forEach((value, i) => assert.ok(Math.abs(values[i]! - value) < 1e-6, `${values[i]} instead of ${value}`));
}

describe('simsiam embed', () => {
  test("gives PyTorch's features in the order of the paths, with names and labels beside them", async () => {
    const args = ['--checkpoint', checkpoint, '--output', at('f.npy'), '--image-size', '64', '--batch-size', '2'];
    const { code, stdout, stderr } = await simsiam('embed', images, ...args, '--json');
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(JSON.parse(stdout), {
      ...{ output: at('f.npy'), names: at('f.json'), arch: 'resnet18' },
      ...{ images: 3, dimension: 8, imageSize: 64, skipped: [] },
    });
    const matrix = decodeNpy(readFileSync(at('f.npy')), 'f.npy');
    assert.deepEqual([matrix.rows, matrix.columns], [3, 8]);
    assertFeatures(matrix.values);
    const names = JSON.parse(readFileSync(at('f.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(names['paths'], ['a/2.png', 'b/deep/1.png', 'c/0.png']);
    assert.deepEqual(
      [names['classes'], names['labels']],
      [
        ['a', 'b', 'c'],
        [0, 1, 2],
      ],
    );
  });

  test('writes safetensors, leaves out what is no image, and says so', async () => {
    writeFileSync(join(images, 'b/broken.png'), 'no image');
    const args = ['--checkpoint', checkpoint, '--output', at('g.safetensors'), '--image-size', '64'];
    const refused = await simsiam('embed', images, ...args);
    assert.equal(refused.code, 65);
    assert.match(
      refused.stderr,
      /^error: 1 of the 4 images of \S+ can't be decoded, [^\n]* b\/broken\.png [^\n]*\[DATA_TOO_MANY_BAD\]\n$/,
    );
    assert.deepEqual(readdirSync(folder).toSorted(), ['f.json', 'f.npy', 'images']);
    const { code, stdout } = await simsiam('embed', images, ...args, '--max-bad-image-fraction', '0.5');
    rmSync(join(images, 'b/broken.png'));
    assert.equal(code, 0);
    assert.match(stdout, /: 3 × 8 features of resnet18 at 64 pixels;.*\nunreadable, without a row: b\/broken\.png\n$/);
    const { tensors } = decodeSafetensors(readFileSync(at('g.safetensors')));
    const [features, labels] = tensors;
    assert.deepEqual(features!.shape, [3, 8]);
    assertFeatures(floatsOf(features!.bytes));
    assert.deepEqual([...new BigInt64Array(new Uint8Array(labels!.bytes).buffer)], [0n, 1n, 2n]);
  });

  test('refuses in one line what it can not do, and writes nothing', async () => {
    const cases: [string[], RegExp, number][] = [
      [['--checkpoint', checkpoint, '--output', at('f.npy')], /f\.npy exists already.*\[FEATURE_FILE\]/, 64],
      [
        ['--checkpoint', checkpoint, '--output', at('h.npy'), '--arch', 'resnet50'],
        /is a resnet18, not a resnet50.*\[BACKBONE_UNUSABLE\]/,
        64,
      ],
      [['--checkpoint', checkpoint, '--output', at('h.npy'), '--batch-size', '0'], /whole number.*\[CLI_USAGE\]/, 64],
    ];
    const files = readdirSync(folder);
    for (const [args, message, exit] of cases) {
      const { code, stderr } = await simsiam('embed', images, ...args);
      assert.match(stderr, message);
      assert.match(stderr, /^error: [^\n]*\n$/);
      assert.equal(code, exit);
    }
    assert.deepEqual(readdirSync(folder), files);
  });
});

describe('simsiam knn', () => {
  test('classifies by features in files as by images and a checkpoint', async () => {
    if (!existsSync(at('f.npy'))) throw new Error('the first test wrote it');
    const files = await simsiam('knn', at('f.npy'), at('g.safetensors'), '-k', '1', '--json');
    const score = { top1: 100, queries: 3, bank: 3, classes: 3, k: 1, temperature: 0.1, dimension: 8 };
    // Rows 0 and 1 are one image with two labels: of equally near ones the first counts.
    const found = { ...score, top1: (100 * 2) / 3 };
    assert.deepEqual(JSON.parse(files.stdout), found);
    const byImages = ['--checkpoint', checkpoint, '--image-size', '64'];
    const direct = await simsiam('knn', images, images, ...byImages, '-k', '1');
    assert.equal(direct.stdout, '66.67 % of 3 images right, by 1 neighbours among 3 (3 classes)\n');
  });

  test('says what is wrong with its files', async () => {
    const refused = async (path: string, message: RegExp): Promise<void> =>
      await assert.rejects(readLabelledFeatures(path), { code: 'FEATURE_FILE', message });
    await refused(at('f.csv'), /\.npy, \.safetensors$/);
    await refused(at('none.npy'), /none\.npy can't be read: ENOENT/);
    const whole = readFileSync(at('f.npy'));
    writeFileSync(at('cut.npy'), whole.subarray(0, 150));
    await refused(at('cut.npy'), /cut\.npy has 22 bytes of data, not those of 3 × 8 float32$/);
    writeFileSync(at('alone.npy'), Buffer.from(whole.toString('latin1').replace('<f4', '<f8'), 'latin1'));
    await refused(at('alone.npy'), /alone\.npy is no float32 matrix/);
    writeFileSync(at('alone.npy'), whole);
    await refused(at('alone.npy'), /alone\.json can't be read: ENOENT/);
    writeFileSync(at('alone.json'), JSON.stringify({ paths: ['a', 'b', 'c'] }));
    await refused(at('alone.npy'), /alone\.json has no labels/);
    writeFileSync(at('alone.json'), JSON.stringify({ paths: ['a'], classes: ['x'], labels: [0] }));
    await refused(at('alone.npy'), /alone\.json has 1 labels and .*alone\.npy 3 rows/);
  });
});
