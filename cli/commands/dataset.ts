import type { Command } from 'commander';
import { Argument } from 'commander';

import { cacheFolder } from '../../storage/cache-folder.ts';
import { UsageError } from '../errors.ts';
import { countOption } from '../number-option.ts';

const fetchable = ['mnist5k'] as const;

export function addDataset(program: Command): void {
  const dataset = program.command('dataset').description('data sets as tar shards');
  addFetch(dataset);
  addPack(dataset);
  addVerify(dataset);
}

function addFetch(dataset: Command): void {
  dataset
    .command('fetch')
    .description('fetch a known data set: mnist5k, 5,000 handwritten digits (needs Python 3 with pip)')
    .addArgument(new Argument('<name>', 'which one').choices(fetchable))
    .requiredOption('--output <folder>', 'where its shards go')
    .option('--json', 'print {train, val}, the URIs for spec.data', false)
    .action(async (_: (typeof fetchable)[number], { output, json }: { output: string; json: boolean }) => {
      // Here and not above: it loads the image library.
      const { fetchMnist5k } = await import('../../trainer/data/fetch-mnist5k.ts');
      const { train, val } = await fetchMnist5k({ folder: output, cache: cacheFolder() });
      process.stdout.write(json ? `${JSON.stringify({ train, val })}\n` : `data:\n  train: ${train}\n  val: ${val}\n`);
    });
}

interface PackCommandOptions {
  readonly output: string;
  readonly name: string;
  readonly shardMib: number;
  readonly seed: number;
  readonly json: boolean;
}

function addPack(dataset: Command): void {
  dataset
    .command('pack')
    .description('pack a folder of images into mixed tar shards, with an index and checksums beside each')
    .argument('<data>', 'a folder of images, or what else spec.data.train takes')
    .requiredOption('--output <folder>', 'where the shards go; a classes.txt that is there decides the labels')
    .option('--name <name>', "what the shards' names begin with", 'train')
    .addOption(countOption('--shard-mib <mib>', 'size of a shard').default(256))
    .addOption(countOption('--seed <n>', 'of the order', 0).default(0))
    .option('--json', 'print {uri, shards, images, bytes}', false)
    .action(async (data: string, { output, name, shardMib, seed, json }: PackCommandOptions) => {
      if (!/^[\w][\w.-]*$/.test(name)) throw new UsageError(`--name ${name}: letters, digits, _ - and . only`);
      const { openDataset } = await import('../../trainer/data/dataset.ts');
      const { classesIn, packDataset } = await import('../../trainer/data/pack-dataset.ts');
      const classes = await classesIn(output);
      const opened = await openDataset(data, classes && { classes });
      try {
        const options = { dataset: opened, folder: output, name, shardBytes: shardMib * 2 ** 20, seed };
        const packed = await packDataset({ ...options, onProgress: showProgress });
        const { uri, shards, images } = packed;
        process.stdout.write(json ? `${JSON.stringify(packed)}\n` : `${uri}: ${images} images in ${shards} shards\n`);
      } finally {
        await opened.close();
      }
    });
}

function addVerify(dataset: Command): void {
  dataset
    .command('verify')
    .description('compare packed shards with the checksums in their indices')
    .argument('<shards>', 'a path such as data/train-{00000..00007}.tar')
    .option('--json', 'print {shards, images, bytes}', false)
    .action(async (shards: string, { json }: { json: boolean }) => {
      const { verifyShards } = await import('../../trainer/data/verify-shards.ts');
      const verified = await verifyShards(shards);
      const text = `${verified.images} images in ${verified.shards} shards are as they were packed\n`;
      process.stdout.write(json ? `${JSON.stringify(verified)}\n` : text);
    });
}

function showProgress(done: number, total: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(done === total ? '\r\u001B[K' : `\r\u001B[K${done} of ${total} images`);
}
