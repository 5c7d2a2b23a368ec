import type { Command } from 'commander';
import { Argument } from 'commander';

import { cacheFolder } from '../../storage/cache-folder.ts';

const fetchable = ['mnist5k'] as const;

export function addDataset(program: Command): void {
  program
    .command('dataset')
    .description('data sets as tar shards')
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
