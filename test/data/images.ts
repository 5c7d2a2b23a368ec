import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

import sharp from 'sharp';

import { CounterRandom } from '../../trainer/random.ts';

/** A folder that goes away with the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-data-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Interleaved RGB noise that differs with the seed. */
export function noise(seed: number, width: number, height: number): Buffer {
  const random = new CounterRandom(seed, width, height);
  return Buffer.from(Array.from({ length: width * height * 3 }, () => random.integer(256)));
}

export type Format = 'jpeg' | 'png' | 'webp';

/** An encoded picture of noise. */
export async function encodedNoise(seed: number, format: Format = 'jpeg', width = 20, height = 16): Promise<Buffer> {
  const image = sharp(noise(seed, width, height), { raw: { width, height, channels: 3 } });
  return image.toFormat(format).toBuffer();
}

/** Writes files, folders included: path below the folder → content. */
export async function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** `count` JPEGs 000.jpg, 001.jpg, … in a folder. */
export async function writeNoiseImages(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await writeFiles(folder, { [`${String(i).padStart(3, '0')}.jpg`]: await encodedNoise(i) });
  }
}
