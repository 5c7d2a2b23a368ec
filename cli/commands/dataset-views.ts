import { availableParallelism } from 'node:os';

import type { Command } from 'commander';

import { writeFileWhole } from '../../storage/write-file.ts';
import { countOption } from '../number-option.ts';
import { readManifest } from '../read-manifest.ts';

interface ViewsOptions {
  readonly file: string;
  readonly output: string;
  readonly images: number;
  readonly epoch: number;
}

export function addViews(dataset: Command): void {
  dataset
    .command('views')
    .description('a picture of what a run trains on: a row an image, first as evaluation sees it, then its two views')
    .requiredOption('-f, --file <file>', 'manifest of the run (YAML)')
    .option('-o, --output <file>', 'the picture, a PNG', 'views.png')
    .addOption(countOption('--images <n>', 'rows: images that are spread evenly over data.train').default(8))
    .addOption(countOption('--epoch <n>', 'whose views they are, from 0', 0).default(0))
    .action(async ({ file, output, images, epoch }: ViewsOptions) => {
      const { spec } = await readManifest(file);
      // Here and not above: they load the image library and the augmentation addon.
      const { openDataset } = await import('../../trainer/data/dataset.ts');
      const { viewsPicture } = await import('../../trainer/data/views-picture.ts');
      const { train, endpoint, region } = spec.data;
      const dataset = await openDataset(train, {
        ...(endpoint !== undefined && { endpoint }),
        ...(region !== undefined && { region }),
      });
      try {
        const { augmentation, seed, imageSize } = spec.pretrain;
        const threads = availableParallelism();
        const options = { augmentation, seed, imageSize, images, epoch, threads };
        await writeFileWhole(output, [await viewsPicture(dataset, options)]);
        process.stdout.write(`${output}\n`);
      } finally {
        await dataset.close();
      }
    });
}
