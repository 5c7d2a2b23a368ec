import type { Command } from 'commander';
import { Argument } from 'commander';

import { cacheFolder } from '../../storage/cache-folder.ts';
import { knownSets, type FetchedSet, type KnownSet } from '../../trainer/data/known-sets.ts';
import { UsageError } from '../errors.ts';
import { countOption } from '../number-option.ts';
import { addViews } from './dataset-views.ts';

export function addDataset(program: Command): void {
  const dataset = program.command('dataset').description('data sets as tar shards, and pictures of their views');
  addFetch(dataset);
  addPack(dataset);
  addVerify(dataset);
  addViews(dataset);
}

interface FetchCommandOptions {
  readonly output: string;
  readonly from?: string;
  readonly json: boolean;
}

function addFetch(dataset: Command): void {
  const names = Object.entries(knownSets).map(([name, what]) => `${name}: ${what}`);
  dataset
    .command('fetch')
    .description(`fetch a known data set. ${names.join('; ')}`)
    .addArgument(new Argument('<name>', 'which one').choices(Object.keys(knownSets)))
    .requiredOption('--output <folder>', 'where its shards go')
    .option('--from <file>', 'a copy of the archive that is published, where there is no network')
    .option('--json', 'print {train, val}, the URIs for spec.data', false)
    .action(async (name: KnownSet, { output, from, json }: FetchCommandOptions) => {
      const { train, val } = await fetchSet(name, output, from);
      process.stdout.write(json ? `${JSON.stringify({ train, val })}\n` : `data:\n  train: ${train}\n  val: ${val}\n`);
    });
}

/** Imports here and not above: they load the image library. */
async function fetchSet(name: KnownSet, folder: string, from: string | undefined): Promise<FetchedSet> {
  const options = { folder, cache: cacheFolder(), ...(from !== undefined && { from }) };
  switch (name) {
    case 'mnist5k':
      if (from !== undefined) throw new UsageError('--from is of cifar10 and imagenette: pip fetches mnist5k');
      return await (await import('../../trainer/data/fetch-mnist5k.ts')).fetchMnist5k(options);
    case 'cifar10':
      return await (await import('../../trainer/data/fetch-cifar10.ts')).fetchCifar10(options);
    case 'imagenette':
      return await (await import('../../trainer/data/fetch-imagenette.ts')).fetchImagenette(options);
  }
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
        process.stdout.write(
          json ? `${JSON.stringify(packed)}\n` : `${uri}: ${images} images in ${shardCount(shards)}\n`,
        );
      } finally {
        await opened.close();
      }
    });
}

function addVerify(dataset: Command): void {
  dataset
    .command('verify')
    .description('compare packed shards with the checksums in their indices')
    .argument('<shards>', 'a path such as data/train-{00000..00007}.tar, or the folder')
    .option('--json', 'print {shards, images, bytes}', false)
    .action(async (shards: string, { json }: { json: boolean }) => {
      const { verifyShards } = await import('../../trainer/data/verify-shards.ts');
      const verified = await verifyShards(shards);
      const text = `${verified.images} images in ${shardCount(verified.shards)} are as they were packed\n`;
      process.stdout.write(json ? `${JSON.stringify(verified)}\n` : text);
    });
}

const shardCount = (shards: number): string => (shards === 1 ? '1 shard' : `${shards} shards`);

function showProgress(done: number, total: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(done === total ? '\r\u001B[K' : `\r\u001B[K${done} of ${total} images`);
}
