import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { CounterRandom } from '../trainer/random.ts';

export interface Photographs {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** Of 640 × 427 pixels, how much is cut out: 1 keeps the photograph's own pixels, more reduces them. */
  readonly reduction: number;
}

/**
 * Writes JPEGs (quality 90, colour at half the resolution) to a folder: windows of scikit-learn's two photographs at
 * random places, mirrored at random. Their detail, and so the work of decoding them, is a photograph's.
 *
 * @param python of the environment that has scikit-learn
 * @returns the mean size of a file in bytes
 */
export async function writePhotographs(folder: string, python: string, options: Photographs): Promise<number> {
  const { count, width, height, reduction } = options;
  const find = 'import sklearn.datasets, pathlib; print(pathlib.Path(sklearn.datasets.__file__).parent / "images")';
  const images = execFileSync(python, ['-c', find], { encoding: 'utf8' }).trim();
  const sources = await Promise.all(
    ['china.jpg', 'flower.jpg'].map((name) => sharp(join(images, name)).raw().toBuffer({ resolveWithObject: true })),
  );
  await mkdir(folder, { recursive: true });
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const { data, info } = sources[i % sources.length]!;
    const random = new CounterRandom(0, i);
    const window = { width: width * reduction, height: height * reduction };
    const [left, top] = [
      random.integer(info.width - window.width + 1),
      random.integer(info.height - window.height + 1),
    ];
    const image = sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
      .extract({ left, top, ...window })
      .flop(random.uniform() < 0.5)
      .resize(width, height);
    const jpeg = await image.jpeg({ quality: 90 }).toBuffer();
    bytes += jpeg.length;
    await writeFile(join(folder, `${String(i).padStart(5, '0')}.jpg`), jpeg);
  }
  return bytes / count;
}
