/** Numbers a view takes in the array that goes to the addon. Native/addon.cc reads them in this order. */
export const viewParameterCount = 20;

/** Colour steps by the number that the addon knows them by. */
export const colorOperation = { brightness: 0, contrast: 1, saturation: 2, hue: 3 } as const;

export interface ColorStep {
  readonly operation: keyof typeof colorOperation;
  /** Brightness, contrast, saturation: 1 changes nothing. Hue: turns of the colour circle, 0 changes nothing. */
  readonly factor: number;
}

/** A rectangle of whole pixels. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Which part of the image is resized to what, and which square of that is kept. */
export interface Framing {
  readonly region: Region;
  readonly fullWidth: number;
  readonly fullHeight: number;
  readonly windowLeft: number;
  readonly windowTop: number;
}

/** Everything that is done to an image to make a view of it, in the order of the fields. */
export interface ViewParameters {
  readonly framing: Framing;
  readonly colorSteps: readonly ColorStep[];
  readonly grayscale: boolean;
  /** Pixels; 0 for no blur. */
  readonly blurSigma: number;
  readonly flip: boolean;
}

/** Writes a view's numbers to block `view` of `target`. */
export function packView(parameters: ViewParameters, target: Float64Array, view: number): void {
  const { framing, colorSteps } = parameters;
  const { region } = framing;
  const at = view * viewParameterCount;
  target[at] = region.left;
  target[at + 1] = region.top;
  target[at + 2] = region.width;
  target[at + 3] = region.height;
  target[at + 4] = framing.fullWidth;
  target[at + 5] = framing.fullHeight;
  target[at + 6] = framing.windowLeft;
  target[at + 7] = framing.windowTop;
  target[at + 8] = parameters.flip ? 1 : 0;
  target[at + 9] = parameters.grayscale ? 1 : 0;
  target[at + 10] = parameters.blurSigma;
  target[at + 11] = colorSteps.length;
  for (const [index, step] of colorSteps.entries()) {
    target[at + 12 + 2 * index] = colorOperation[step.operation];
    target[at + 13 + 2 * index] = step.factor;
  }
}
