import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

import { InvalidArgumentError, Option, type Command } from 'commander';

import { messageOf } from '../../api/errors.ts';
import { InputFileError } from '../errors.ts';
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
    .addOption(wholeNumber('--images <n>', 'rows: images that are spread evenly over data.train', 8, 1))
    .addOption(wholeNumber('--epoch <n>', 'whose views they are, from 0', 0, 0))
    .action(async ({ file, output, images, epoch }: ViewsOptions) => {
      const { spec } = await readManifest(file);
      // Here and not above: they load the image library and the augmentation addon.
      const { openDataset } = await import('../../trainer/data/dataset.ts');
      const { viewsPicture } = await import('../../trainer/data/views-picture.ts');
      const dataset = await openDataset(spec.data.train);
      try {
        const { augmentation, seed, imageSize } = spec.pretrain;
        const threads = availableParallelism();
        await write(output, await viewsPicture(dataset, { augmentation, seed, imageSize, images, epoch, threads }));
        process.stdout.write(`${output}\n`);
      } finally {
        await dataset.close();
      }
    });
}

async function write(file: string, bytes: Buffer): Promise<void> {
  try {
    await writeFile(file, bytes);
  } catch (thrown) {
    throw new InputFileError(`${file} can't be written: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function wholeNumber(flags: string, description: string, value: number, least: number): Option {
  return new Option(flags, description).default(value).argParser((text) => {
    const parsed = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(parsed) && parsed >= least) return parsed;
    throw new InvalidArgumentError(`a whole number from ${least} on.`);
  });
}
