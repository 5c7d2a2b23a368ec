/**
 * Times the pre-training loader: images of a folder to two views of each, by the default augmentation (MoCo v2's).
 * Arguments: FOLDER SIZE BATCH. Then a number of rounds on each line of standard input, answered by a line of JSON:
 * {"milliseconds": [CPU time an image, one a round]}. A round is an epoch on one loader thread; the time is that of the
 * whole process, its main thread included.
 */
import { createInterface } from 'node:readline';
import { augmentationSchema } from '../api/augmentation.ts';
import { openDataset } from '../trainer/data/dataset.ts';
import { PretrainLoader } from '../trainer/data/pretrain-loader.ts';

const [folder, imageSize, batchSize] = process.argv.slice(2) as [string, string, string];
const loader = new PretrainLoader({
  dataset: await openDataset(folder),
  seed: 0,
  batchSize: Number(batchSize),
  rank: 0,
  world: 1,
  imageSize: Number(imageSize),
  augmentation: augmentationSchema.parse({}),
  views: 2,
  threads: 1,
  maxBadImageFraction: 0,
});

let epoch = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const milliseconds: number[] = [];
  for (let round = 0; round < Number(line); round++) {
    const before = process.cpuUsage();
    let images = 0;
    for await (const { indices } of loader.epoch(epoch)) images += indices.length;
    const { user, system } = process.cpuUsage(before);
    milliseconds.push((user + system) / 1000 / images);
    epoch += 1;
  }
  console.log(JSON.stringify({ milliseconds }));
}
await loader.close();
