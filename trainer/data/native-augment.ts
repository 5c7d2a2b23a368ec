import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { messageOf } from '../../api/errors.ts';
import { AugmentAddonError } from './errors.ts';

/**
 * The contract of `augment.node` (native/addon.cc). Synchronous, safe in worker threads, and the same bytes on every
 * CPU of an architecture.
 */
export interface AugmentAddon {
  /**
   * Renders one view of an image: crop and resize (bilinear, antialiased), colour steps, greyscale, blur, flip, each
   * rounded to bytes as Pillow does.
   *
   * @param pixels interleaved 8-bit RGB, width · height · 3 bytes
   * @param parameters blocks of `viewParameterCount` numbers; see view-parameters.ts
   * @param view which block
   * @param size side of the square output
   * @param out takes size · size · 3 bytes from `offset` on; may lie in shared memory
   * @throws RangeError when an argument doesn't fit the others
   */
  render(
    pixels: Uint8Array,
    width: number,
    height: number,
    parameters: Float64Array,
    view: number,
    size: number,
    out: Uint8Array,
    offset: number,
  ): void;
}

/** From dist/trainer/data/ to dist/native/. */
const addonPath = fileURLToPath(new URL('../../native/augment.node', import.meta.url));

let loaded: AugmentAddon | undefined;

/** Loads the addon at the first call. Throws {@link AugmentAddonError} with the mend if it isn't there. */
export function augmentAddon(): AugmentAddon {
  if (loaded === undefined) {
    try {
      loaded = createRequire(import.meta.url)(addonPath) as AugmentAddon;
    } catch (error) {
      throw new AugmentAddonError(
        `the augmentation addon ${addonPath} does not load (${messageOf(error)}): run \`npm run setup\``,
        { cause: error },
      );
    }
  }
  return loaded;
}
