import assert from 'node:assert/strict';
import { test } from 'node:test';

import sharp from 'sharp';

import { BadImageError, ImageDecoder } from '../../trainer/data/decode-image.ts';
import { encodedNoise, noise } from './images.ts';

/** Left half red, right half blue: what a decoder must keep, whatever the format. */
const redBlue = () =>
  sharp({ create: { width: 64, height: 32, channels: 3, background: 'red' } }).composite([
    { input: { create: { width: 32, height: 32, channels: 3, background: 'blue' } }, left: 32, top: 0 },
  ]);

async function colours(bytes: Buffer): Promise<{ size: string; left: number[]; right: number[] }> {
  const { pixels, width, height } = await new ImageDecoder().decode(bytes);
  assert.equal(pixels.length, width * height * 3);
  const at = (x: number, y: number) => Array.from(pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3));
  return { size: `${width}x${height}`, left: at(8, 8), right: at(width - 8, height - 8) };
}

function assertNear(actual: readonly number[], expected: readonly number[], by: number): void {
  assert.ok(
    actual.every((value, i) => Math.abs(value - (expected[i] ?? 0)) <= by),
    `${actual.join()} is not near ${expected.join()}`,
  );
}

const formats: readonly { readonly name: string; readonly encode: () => Promise<Buffer>; readonly by: number }[] = [
  { name: 'JPEG', encode: () => redBlue().jpeg().toBuffer(), by: 8 },
  { name: 'progressive JPEG', encode: () => redBlue().jpeg({ progressive: true }).toBuffer(), by: 8 },
  { name: 'CMYK JPEG', encode: () => redBlue().toColourspace('cmyk').jpeg().toBuffer(), by: 120 },
  { name: 'PNG', encode: () => redBlue().png().toBuffer(), by: 0 },
  { name: '16-bit PNG', encode: () => redBlue().toColourspace('rgb16').png().toBuffer(), by: 1 },
  { name: 'palette PNG', encode: () => redBlue().png({ palette: true }).toBuffer(), by: 1 },
  { name: 'PNG with alpha', encode: () => redBlue().ensureAlpha(0.5).png().toBuffer(), by: 1 },
  { name: 'WebP', encode: () => redBlue().webp({ lossless: true }).toBuffer(), by: 1 },
];

for (const { name, encode, by } of formats) {
  test(`${name} becomes 8-bit RGB`, async () => {
    const { size, left, right } = await colours(await encode());
    assert.equal(size, '64x32');
    assertNear(left, [255, 0, 0], by);
    assertNear(right, [0, 0, 255], by);
  });
}

test('grey images of 8 and 16 bits become three equal channels', async () => {
  const grey = sharp(Buffer.alloc(256, 77), { raw: { width: 16, height: 16, channels: 1 } });
  for (const bytes of [
    await grey.clone().png().toBuffer(),
    await grey.clone().jpeg().toBuffer(),
    await grey.clone().toColourspace('grey16').png().toBuffer(),
  ]) {
    const { pixels } = await new ImageDecoder().decode(bytes);
    assert.equal(pixels.length, 768);
    assert.ok(pixels.every((value) => Math.abs(value - 77) <= 1));
  }
});

test('a JPEG is turned as its EXIF says', async () => {
  const turned = await redBlue().jpeg().withMetadata({ orientation: 6 }).toBuffer();
  const { size, left, right } = await colours(turned);
  assert.equal(size, '32x64');
  assertNear(left, [255, 0, 0], 8);
  assertNear(right, [0, 0, 255], 8);
  assert.equal((await colours(await redBlue().jpeg().withMetadata({ orientation: 1 }).toBuffer())).size, '64x32');
});

test('the two JPEG decoders agree', async () => {
  const bytes = await encodedNoise(1, 'jpeg', 61, 47);
  const { pixels } = await new ImageDecoder().decode(bytes);
  const other = await sharp(bytes).raw().toBuffer();
  const error = other.reduce((sum, value, i) => sum + Math.abs(value - (pixels[i] ?? 0)), 0) / other.length;
  assert.ok(error < 1.5, `mean difference ${error}`);
});

test('what is truncated, empty, no image or too large is a bad image', async () => {
  const jpeg = await encodedNoise(1, 'jpeg', 200, 150);
  const png = await encodedNoise(1, 'png', 200, 150);
  const bomb = Buffer.from(jpeg);
  const frame = bomb.indexOf(Buffer.from([0xff, 0xc0]));
  bomb.writeUInt16BE(60000, frame + 5);
  bomb.writeUInt16BE(60000, frame + 7);
  const bad = {
    truncatedJpeg: jpeg.subarray(0, jpeg.length / 2),
    truncatedPng: png.subarray(0, png.length / 2),
    header: jpeg.subarray(0, 30),
    empty: Buffer.alloc(0),
    text: Buffer.from('<html>404</html>'),
    noise: noise(1, 10, 10),
    bomb,
  };
  for (const [name, bytes] of Object.entries(bad)) {
    await assert.rejects(new ImageDecoder().decode(bytes), BadImageError, name);
  }
});
