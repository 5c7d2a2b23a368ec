/**
 * Images a second and core of the pre-training loader: decode and two augmented views (MoCo v2's recipe).
 *
 *     node dist/bench/loader.js
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import sharp from 'sharp';

import { augmentationSchema } from '../api/augmentation.ts';
import { openDataset } from '../trainer/data/dataset.ts';
import { PretrainLoader } from '../trainer/data/pretrain-loader.ts';
import { CounterRandom } from '../trainer/random.ts';

interface Subject {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly images: number;
  readonly imageSize: number;
  readonly batchSize: number;
}

const subjects: readonly Subject[] = [
  { name: 'JPEG 500 × 375 to 224', width: 500, height: 375, images: 256, imageSize: 224, batchSize: 32 },
  { name: 'JPEG 32 × 32 to 32', width: 32, height: 32, images: 4096, imageSize: 32, batchSize: 256 },
];
const rounds = 5;

/** Something like a photograph: smooth shapes with some grain, so that the file has a photograph's size. */
async function writePhotograph(path: string, { width, height }: Subject, seed: number): Promise<void> {
  const random = new CounterRandom(seed);
  const [coarseWidth, coarseHeight] = [Math.ceil(width / 16), Math.ceil(height / 16)];
  const coarse = Buffer.from(Array.from({ length: coarseWidth * coarseHeight * 3 }, () => random.integer(256)));
  const smooth = await sharp(coarse, { raw: { width: coarseWidth, height: coarseHeight, channels: 3 } })
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .raw()
    .toBuffer();
  const grainy = smooth.map((value) => Math.min(255, Math.max(0, value + random.integer(25) - 12)));
  await writeFile(
    path,
    await sharp(grainy, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toBuffer(),
  );
}

async function measure(subject: Subject): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-bench-'));
  try {
    for (let i = 0; i < subject.images; i++) await writePhotograph(join(folder, `${i}.jpg`), subject, i);
    const dataset = await openDataset(folder);
    const loader = new PretrainLoader({
      dataset,
      seed: 0,
      batchSize: subject.batchSize,
      rank: 0,
      world: 1,
      imageSize: subject.imageSize,
      augmentation: augmentationSchema.parse({}),
      views: 2,
      threads: 1,
      maxBadImageFraction: 0,
    });
    const rates: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const cpu = process.cpuUsage();
      let images = 0;
      for await (const batch of loader.epoch(round)) images += batch.indices.length;
      const { user, system } = process.cpuUsage(cpu);
      // The first round warms up.
      if (round > 0) rates.push(images / ((user + system) / 1e6));
    }
    await loader.close();
    rates.sort((a, b) => a - b);
    const [low = 0, median = 0, high = 0] = [rates[0], rates[Math.floor(rates.length / 2)], rates.at(-1)];
    console.log(
      `${subject.name}, two views: ${median.toFixed(0)} images a CPU-second (${low.toFixed(0)} … ${high.toFixed(0)})`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

for (const subject of subjects) await measure(subject);
