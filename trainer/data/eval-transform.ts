import type { ViewParameters } from './view-parameters.ts';

/** Up to this size the whole image is used: cutting an eighth off a 32-pixel image would cut into its subject. */
export const wholeImageUpTo = 64;

/** To what the short side is resized before the centre crop: 256 for 224 as in the paper, `size` itself up to 64. */
export function evalShortSide(size: number): number {
  return size <= wholeImageUpTo ? size : Math.round((size * 256) / 224);
}

/**
 * Resizes the short side to `shortSide` and keeps the centre square of `size`, as torchvision's Resize and CenterCrop
 * (the long side is cut to a whole number, the offset rounds half to even).
 */
export function evalView(
  width: number,
  height: number,
  size: number,
  shortSide: number = evalShortSide(size),
): ViewParameters {
  const fullWidth = width <= height ? shortSide : Math.floor((shortSide * width) / height);
  const fullHeight = width <= height ? Math.floor((shortSide * height) / width) : shortSide;
  return {
    framing: {
      region: { left: 0, top: 0, width, height },
      fullWidth,
      fullHeight,
      windowLeft: roundHalfToEven((fullWidth - size) / 2),
      windowTop: roundHalfToEven((fullHeight - size) / 2),
    },
    colorSteps: [],
    grayscale: false,
    blurSigma: 0,
    flip: false,
  };
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
