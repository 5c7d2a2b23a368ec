/** Side of a thumbnail at most, in pixels. */
const side = 64;

/**
 * Small pictures of images, as WebP files. Images that are small already keep their size.
 *
 * @param pixels uint8 [n, size, size, 3]
 */
export async function thumbnailsOf(pixels: Uint8Array, size: number): Promise<Uint8Array[]> {
  const { default: sharp } = await import('sharp');
  const bytes = size * size * 3;
  const thumbnails: Uint8Array[] = [];
  for (let from = 0; from < pixels.length; from += bytes) {
    // A copy: sharp reads it while the loader goes on in its own memory.
    const image = sharp(pixels.slice(from, from + bytes), { raw: { width: size, height: size, channels: 3 } });
    const small = size > side ? image.resize(side, side) : image;
    thumbnails.push(await small.webp({ quality: 75 }).toBuffer());
  }
  return thumbnails;
}
