import { fileURLToPath } from 'node:url';

import sharp from 'sharp';

import { CounterRandom } from '../../trainer/random.ts';

const photoFile = fileURLToPath(new URL('../../../test/goldens/augment/input.png', import.meta.url));

/** Two views of real images: crops of a photo, and the same crops moved by some pixels. uint8 [count, size, size, 3]. */
export async function photoViews(count: number, size: number): Promise<[Uint8Array, Uint8Array]> {
  const photo = await sharp(photoFile).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = photo.info;
  const random = new CounterRandom(5);
  const places = Array.from({ length: count }, () => ({
    left: random.integer(width - size - 4),
    top: random.integer(height - size - 4),
  }));
  const view = async (moved: number): Promise<Uint8Array> =>
    Buffer.concat(
      await Promise.all(
        places.map(({ left, top }) =>
          sharp(photo.data, { raw: { width, height, channels } })
            .extract({ left: left + moved, top: top + moved, width: size, height: size })
            .raw()
            .toBuffer(),
        ),
      ),
    );
  return [await view(0), await view(4)];
}
