import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import sharp from 'sharp';

import { evalView } from '../../trainer/data/eval-transform.ts';
import { augmentAddon } from '../../trainer/data/native-augment.ts';
import { packView, viewParameterCount } from '../../trainer/data/view-parameters.ts';
import type { ColorStep, ViewParameters } from '../../trainer/data/view-parameters.ts';

interface Step {
  readonly op: string;
  readonly size?: number;
  readonly top?: number;
  readonly left?: number;
  readonly height?: number;
  readonly width?: number;
  readonly factor?: number;
  readonly sigma?: number;
  readonly resize_short_side?: number;
  readonly center_crop?: number;
}

interface Case extends Step {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly steps?: readonly Step[];
}

/**
 * Mean absolute error, of 255. The colours but the hue, the blur and the flip are exact; crops and the hue differ by
 * rounding in one pixel of a hundred. (1.5 would be close enough for training, but an image that isn't blurred at all
 * would pass it.)
 */
const tolerance = 0.02;

const folder = new URL('../../../test/goldens/augment/', import.meta.url);
const { cases } = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8')) as { cases: readonly Case[] };

interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

async function decode(name: string): Promise<Pixels> {
  const { data, info } = await sharp(readFileSync(new URL(name, folder)))
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.equal(info.channels, 3);
  return { data, width: info.width, height: info.height };
}

/** The parameters that make the addon do what a golden case did. */
function viewOf(steps: readonly Step[], input: Pixels): { view: ViewParameters; size: number } {
  const evaluation = steps.find((step) => step.op === 'eval');
  if (evaluation !== undefined) {
    const size = evaluation.center_crop ?? 0;
    return { view: evalView(input.width, input.height, size, evaluation.resize_short_side), size };
  }
  const crop = steps.find((step) => step.op === 'resized_crop');
  const size = crop?.size ?? input.width;
  const region = {
    left: crop?.left ?? 0,
    top: crop?.top ?? 0,
    width: crop?.width ?? input.width,
    height: crop?.height ?? input.height,
  };
  const colorSteps = steps
    .filter(({ op }) => ['brightness', 'contrast', 'saturation', 'hue'].includes(op))
    .map(({ op, factor }) => ({ operation: op, factor }) as ColorStep);
  const view: ViewParameters = {
    framing: { region, fullWidth: size, fullHeight: size, windowLeft: 0, windowTop: 0 },
    colorSteps,
    grayscale: steps.some(({ op }) => op === 'grayscale'),
    blurSigma: steps.find(({ op }) => op === 'gaussian_blur')?.sigma ?? 0,
    flip: steps.some(({ op }) => op === 'horizontal_flip'),
  };
  return { view, size };
}

function meanAbsoluteError(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

for (const golden of cases) {
  test(`${golden.name} is as PIL renders it`, async () => {
    const input = await decode(golden.input);
    const expected = await decode(golden.output);
    const { view, size } = viewOf(golden.steps ?? [golden], input);
    const parameters = new Float64Array(viewParameterCount);
    packView(view, parameters, 0);
    const out = new Uint8Array(size * size * 3);
    augmentAddon().render(input.data, input.width, input.height, parameters, 0, size, out, 0);
    const error = meanAbsoluteError(out, expected.data);
    assert.ok(error <= tolerance, `mean error ${error}`);
  });
}
