import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fc } from '../support/property.ts';

import { augmentationSchema } from '../../api/augmentation.ts';
import { cropAndFlip, drawCrop, drawView } from '../../trainer/data/augmentation.ts';
import { evalShortSide, evalView } from '../../trainer/data/eval-transform.ts';
import { augmentAddon } from '../../trainer/data/native-augment.ts';
import { packView, viewParameterCount } from '../../trainer/data/view-parameters.ts';
import { CounterRandom } from '../../trainer/random.ts';

const mocoV2 = augmentationSchema.parse({});
const side = fc.integer({ min: 1, max: 300 });

test('a crop lies within any image', () => {
  fc.assert(
    fc.property(side, side, fc.nat(), (width, height, seed) => {
      const { left, top, ...crop } = drawCrop(new CounterRandom(seed), width, height, [0.2, 1], [3 / 4, 4 / 3]);
      assert.ok(left >= 0 && top >= 0 && crop.width >= 1 && crop.height >= 1);
      assert.ok(left + crop.width <= width && top + crop.height <= height);
    }),
  );
});

test('crops keep the area and the ratio asked for, and fall back to the centre', () => {
  for (let seed = 0; seed < 300; seed++) {
    const { width, height } = drawCrop(new CounterRandom(seed), 400, 300, [0.2, 0.5], [3 / 4, 4 / 3]);
    const area = (width * height) / (400 * 300);
    assert.ok(area > 0.19 && area < 0.51, `area ${area}`);
    assert.ok(width / height > 0.74 && width / height < 1.35);
  }
  const thin = drawCrop(new CounterRandom(1), 1000, 10, [0.9, 1], [3 / 4, 4 / 3]);
  assert.deepEqual(thin, { left: 493, top: 0, width: 13, height: 10 });
});

test('each step happens as often as its probability says, the colour steps in every order', () => {
  const orders = new Set<string>();
  const counts = { jitter: 0, gray: 0, blur: 0, flip: 0 };
  const n = 4000;
  for (let i = 0; i < n; i++) {
    const view = drawView(mocoV2, new CounterRandom(7, i), 100, 80, 32);
    if (view.colorSteps.length > 0) {
      counts.jitter += 1;
      orders.add(view.colorSteps.map((step) => step.operation).join());
    }
    counts.gray += Number(view.grayscale);
    counts.blur += Number(view.blurSigma > 0);
    counts.flip += Number(view.flip);
    for (const { operation, factor } of view.colorSteps) {
      assert.ok(operation === 'hue' ? Math.abs(factor) <= 0.1 : factor >= 0.6 && factor <= 1.4);
    }
    assert.ok(view.blurSigma === 0 || (view.blurSigma >= 0.1 && view.blurSigma <= 2));
  }
  assert.equal(orders.size, 24);
  const near = (count: number, probability: number) => Math.abs(count / n - probability) < 0.03;
  assert.ok(near(counts.jitter, 0.8) && near(counts.gray, 0.2) && near(counts.blur, 0.5) && near(counts.flip, 0.5));
});

test('linear evaluation only crops and flips', () => {
  for (let i = 0; i < 100; i++) {
    const view = drawView(cropAndFlip([0.08, 1], 0.5), new CounterRandom(i), 50, 50, 32);
    assert.deepEqual([view.colorSteps.length, view.grayscale, view.blurSigma], [0, false, 0]);
  }
});

test('the evaluation transform takes 256 for 224, and small images whole', () => {
  assert.deepEqual([224, 32, 64, 96].map(evalShortSide), [256, 32, 64, 110]);
  const { framing } = evalView(500, 375, 224);
  assert.deepEqual([framing.fullWidth, framing.fullHeight], [341, 256]);
  assert.deepEqual([framing.windowLeft, framing.windowTop], [58, 16]);
  assert.equal(drawView('none', new CounterRandom(1), 500, 375, 224).framing.fullWidth, 341);
});

test('any drawn view of any image can be rendered', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), fc.nat(), (width, height, seed) => {
      const parameters = new Float64Array(2 * viewParameterCount);
      const size = 1 + (seed % 40);
      packView(drawView(mocoV2, new CounterRandom(seed), width, height, size), parameters, 0);
      packView(evalView(width, height, size), parameters, 1);
      const grey = new Uint8Array(width * height * 3).fill(90);
      const out = new Uint8Array(size * size * 3);
      augmentAddon().render(grey, width, height, parameters, 1, size, out, 0);
      assert.ok(out.every((value) => value === 90));
      augmentAddon().render(grey, width, height, parameters, 0, size, out, 0);
      // One grey value stays one value, whatever is done to it.
      assert.equal(new Set(out).size, 1);
    }),
  );
});

test('the thinnest image that is decoded can be rendered', () => {
  const parameters = new Float64Array(viewParameterCount);
  const pixels = new Uint8Array(65_535 * 3).fill(7);
  const out = new Uint8Array(1024 * 1024 * 3);
  for (const [width, height] of [
    [1, 65_535],
    [65_535, 1],
  ] as const) {
    packView(evalView(width, height, 1024), parameters, 0);
    augmentAddon().render(pixels, width, height, parameters, 0, 1024, out.fill(0), 0);
    assert.ok(out.every((value) => value === 7));
  }
});

test('the addon refuses arguments that do not fit', () => {
  const parameters = new Float64Array(viewParameterCount);
  packView(evalView(8, 8, 8), parameters, 0);
  const pixels = new Uint8Array(192);
  const out = new Uint8Array(192);
  const addon = augmentAddon();
  addon.render(pixels, 8, 8, parameters, 0, 8, out, 0);
  assert.throws(() => addon.render(pixels, 9, 8, parameters, 0, 8, out, 0), RangeError);
  assert.throws(() => addon.render(pixels, 8, 8, parameters, 1, 8, out, 0), RangeError);
  assert.throws(() => addon.render(pixels, 8, 8, parameters, 0, 8, out, 1), RangeError);
  assert.throws(() => addon.render(pixels, 8, 8, parameters, 0, 9, new Uint8Array(243), 0), RangeError);
  assert.throws(
    () =>
      addon.render(
        pixels,
        8,
        8,
        parameters.map((x, i) => (i === 2 ? 9 : x)),
        0,
        8,
        out,
        0,
      ),
    RangeError,
  );
  assert.throws(
    () =>
      addon.render(
        pixels,
        8,
        8,
        parameters.map((x, i) => (i === 10 ? NaN : x)),
        0,
        8,
        out,
        0,
      ),
    RangeError,
  );
});
