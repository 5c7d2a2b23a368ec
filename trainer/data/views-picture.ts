import sharp from 'sharp';

import type { AugmentationSpec } from '../../api/augmentation.ts';
import { BatchRenderer } from './batch-renderer.ts';
import type { Dataset } from './dataset.ts';

interface PictureOptions {
  readonly augmentation: AugmentationSpec;
  readonly seed: number;
  readonly imageSize: number;
  /** Rows: images that are spread evenly over the set. */
  readonly images: number;
  /** Of which the views are. */
  readonly epoch: number;
  readonly threads: number;
}

/** White lines between the views, in pixels. */
const gap = 2;
const white = 255;

/**
 * A PNG with a row an image: as evaluation sees it, then the two views that pre-training makes of it in an epoch, to the
 * pixel. Images that can't be decoded are white.
 *
 * @throws DataReadError, AugmentAddonError
 */
export async function viewsPicture(dataset: Dataset, options: PictureOptions): Promise<Buffer> {
  const { augmentation, seed, imageSize: size, epoch } = options;
  const count = Math.min(options.images, dataset.size);
  const indices = Int32Array.from({ length: count }, (_, i) => Math.floor((i * dataset.size) / count));
  const renderer = new BatchRenderer(dataset, options.threads);
  const render = async (chain: AugmentationSpec, views: readonly number[]): Promise<Uint8Array[]> => {
    const bytes = count * size * size * 3;
    const out = new Uint8Array(new SharedArrayBuffer(views.length * bytes)).fill(white);
    const slots = Int32Array.from(indices.keys());
    await renderer.render({ augmentation: chain, seed, epoch, size, views }, indices, slots, { out, batch: count });
    return views.map((_, view) => out.subarray(view * bytes, (view + 1) * bytes));
  };
  try {
    const columns = [...(await render('none', [0])), ...(await render(augmentation, [0, 1]))];
    return await grid(columns, count, size);
  } finally {
    await renderer.close();
  }
}

/** @param columns uint8 [rows, size, size, 3] each */
async function grid(columns: readonly Uint8Array[], rows: number, size: number): Promise<Buffer> {
  const step = size + gap;
  const [width, height] = [columns.length * step - gap, rows * step - gap];
  const picture = Buffer.alloc(width * height * 3, white);
  for (const [column, images] of columns.entries())
    for (let row = 0; row < rows; row++)
      for (let y = 0; y < size; y++) {
        const from = (row * size + y) * size * 3;
        picture.set(images.subarray(from, from + size * 3), ((row * step + y) * width + column * step) * 3);
      }
  return await sharp(picture, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
