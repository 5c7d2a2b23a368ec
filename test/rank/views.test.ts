import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import sharp from 'sharp';

import { openDataset, type Dataset } from '../../trainer/data/dataset.ts';
import { PretrainLoader } from '../../trainer/data/pretrain-loader.ts';
import { parseManifest } from '../../api/manifest.ts';
import { start } from '../cli/fixtures/processes.ts';
import { tinyRun } from './fixtures/tiny-run.ts';
import { smallDisk } from '../storage/small-disk.ts';
import { Workplace } from './fixtures/workplace.ts';

const { disk, skip } = smallDisk(4);

let workplace: Workplace;
let dataset: Dataset;
before(async () => {
  workplace = await Workplace.open();
  dataset = await openDataset(workplace.path('data/train'));
});
after(async () => {
  await dataset.close();
  workplace.close();
});

const size = 16;
const step = size + 2;

test('the picture shows the very views that pre-training sees', { timeout: 300_000 }, async () => {
  const run = tinyRun({ storage: 'views', pretrain: { seed: 5 } });
  writeFileSync(workplace.path('views.yaml'), JSON.stringify(run));
  const { spec } = parseManifest(JSON.stringify(run), 'the tiny run');
  const args = ['dataset', 'views', '-f', 'views.yaml', '-o', 'out.png', '--images', '4', '--epoch', '2'];
  const { code, stdout, stderr } = await start('simsiam', args, workplace.folder).ended;
  assert.deepEqual([code, stdout, stderr], [0, 'out.png\n', '']);
  const { data, info } = await sharp(workplace.path('out.png')).raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [3 * step - 2, 4 * step - 2, 3]);
  const tile = (row: number, column: number): Buffer =>
    Buffer.concat(
      Array.from({ length: size }, (_, y) => {
        const from = ((row * step + y) * info.width + column * step) * 3;
        return data.subarray(from, from + size * 3);
      }),
    );

  const { augmentation, seed } = spec.pretrain;
  const loader = new PretrainLoader({
    ...{ dataset, seed, batchSize: 8, rank: 0, world: 1, imageSize: size, augmentation, views: 2 },
    ...{ threads: 1, maxBadImageFraction: 0 },
  });
  const shown = [0, 16, 32, 48];
  let found = 0;
  for await (const { views, indices } of loader.epoch(2))
    for (const [slot, index] of indices.entries()) {
      const row = shown.indexOf(index);
      if (row < 0) continue;
      found += 1;
      const bytes = size * size * 3;
      for (const [view, images] of views.entries())
        assert.ok(tile(row, 1 + view).equals(images.subarray(slot * bytes, (slot + 1) * bytes)), `${index}, ${view}`);
    }
  await loader.close();
  assert.equal(found, shown.length);
});

test('a picture that finds no room is one line', { skip, timeout: 300_000 }, async () => {
  writeFileSync(workplace.path('full.yaml'), JSON.stringify(tinyRun({ storage: 'views' })));
  const args = ['dataset', 'views', '-f', 'full.yaml', '-o', join(disk!.path, 'out.png')];
  const { code, stderr } = await start('simsiam', args, workplace.folder).ended;
  assert.equal(code, 74, stderr);
  assert.match(stderr, /^error: no space left in \S+: can't write out\.png; free [^\n]+ \[STORAGE_FULL\]\n$/);
});
