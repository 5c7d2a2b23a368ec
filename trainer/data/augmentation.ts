import type { AugmentationChain, AugmentationSpec } from '../../api/augmentation.ts';
import type { CounterRandom } from '../random.ts';
import { evalView } from './eval-transform.ts';
import type { ColorStep, Region, ViewParameters } from './view-parameters.ts';

/** Crop and flip only, as linear evaluation trains. */
export function cropAndFlip(cropScale: readonly [number, number], flipProbability: number): AugmentationChain {
  return {
    cropScale: [cropScale[0], cropScale[1]],
    cropRatio: [3 / 4, 4 / 3],
    colorJitter: { brightness: 0, contrast: 0, saturation: 0, hue: 0, probability: 0 },
    grayscaleProbability: 0,
    blur: { sigma: [1, 1], probability: 0 },
    flipProbability,
  };
}

const cropTries = 10;

/**
 * The region of RandomResizedCrop: area and aspect ratio (evenly in its logarithm) are drawn up to ten times until they
 * fit the image; else the largest centred region of an allowed ratio.
 */
export function drawCrop(
  random: CounterRandom,
  width: number,
  height: number,
  scale: readonly [number, number],
  ratio: readonly [number, number],
): Region {
  for (let attempt = 0; attempt < cropTries; attempt++) {
    const area = width * height * random.range(scale[0], scale[1]);
    const aspect = Math.exp(random.range(Math.log(ratio[0]), Math.log(ratio[1])));
    const cropWidth = Math.round(Math.sqrt(area * aspect));
    const cropHeight = Math.round(Math.sqrt(area / aspect));
    if (cropWidth > 0 && cropWidth <= width && cropHeight > 0 && cropHeight <= height) {
      const top = random.integer(height - cropHeight + 1);
      const left = random.integer(width - cropWidth + 1);
      return { left, top, width: cropWidth, height: cropHeight };
    }
  }
  return centredRegion(width, height, ratio);
}

function centredRegion(width: number, height: number, ratio: readonly [number, number]): Region {
  const aspect = width / height;
  const cropWidth = aspect > ratio[1] ? Math.max(1, Math.round(height * ratio[1])) : width;
  const cropHeight = aspect < ratio[0] ? Math.max(1, Math.round(width / ratio[0])) : height;
  return {
    left: Math.floor((width - cropWidth) / 2),
    top: Math.floor((height - cropHeight) / 2),
    width: cropWidth,
    height: cropHeight,
  };
}

/**
 * Draws one view of an image in the order of MoCo v2: crop, colour jitter (its four steps in random order), greyscale,
 * blur, flip. `random` is the view's own stream.
 */
export function drawView(
  augmentation: AugmentationSpec,
  random: CounterRandom,
  width: number,
  height: number,
  size: number,
): ViewParameters {
  if (augmentation === 'none') return evalView(width, height, size);
  const region = drawCrop(random, width, height, augmentation.cropScale, augmentation.cropRatio);
  const jitter = augmentation.colorJitter;
  const colorSteps = random.uniform() < jitter.probability ? drawColorSteps(random, jitter) : [];
  const grayscale = random.uniform() < augmentation.grayscaleProbability;
  const { sigma, probability } = augmentation.blur;
  const blurSigma = random.uniform() < probability ? random.range(sigma[0], sigma[1]) : 0;
  const flip = random.uniform() < augmentation.flipProbability;
  const framing = { region, fullWidth: size, fullHeight: size, windowLeft: 0, windowTop: 0 };
  return { framing, colorSteps, grayscale, blurSigma, flip };
}

function drawColorSteps(random: CounterRandom, jitter: AugmentationChain['colorJitter']): ColorStep[] {
  const around = (strength: number) => random.range(Math.max(0, 1 - strength), 1 + strength);
  const steps: ColorStep[] = [
    { operation: 'brightness', factor: around(jitter.brightness) },
    { operation: 'contrast', factor: around(jitter.contrast) },
    { operation: 'saturation', factor: around(jitter.saturation) },
    { operation: 'hue', factor: random.range(-jitter.hue, jitter.hue) },
  ];
  const strengths = [jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue];
  return Array.from(random.permutation(steps.length))
    .filter((index) => strengths[index] !== 0)
    .flatMap((index) => steps[index] ?? []);
}
