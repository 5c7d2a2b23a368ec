import type { Command } from 'commander';

import { pretrainSchema } from '../../api/pretrain.ts';
import type { KnnResult } from '../../trainer/embed/task.ts';
import type { CommandEnd } from '../command-end.ts';
import { addBackboneOptions, backboneChoice, runFeatureTask, type BackboneOptions } from '../feature-task.ts';
import { countOption, numberOption } from '../number-option.ts';

interface KnnOptions extends BackboneOptions {
  readonly k: number;
  readonly temperature: number;
  readonly json: boolean;
}

export function addKnn(program: Command, end: (end: CommandEnd) => void): void {
  const { k, temperature } = pretrainSchema.parse({}).knn;
  const command = program
    .command('knn')
    .description('classify each image of <val> by its nearest neighbours in <train>')
    .argument('<train>', 'what `simsiam embed` wrote of labelled images; with --checkpoint: these images')
    .argument('<val>', 'the same of the images to be classified')
    .option('--checkpoint <path>', 'whose features to use, as for `simsiam embed`')
    .addOption(countOption('-k, --k <n>', 'neighbours that vote').default(k))
    .addOption(
      numberOption('--temperature <t>', 'one of cosine similarity s has the weight exp(s / t)', 10).default(
        temperature,
      ),
    );
  addBackboneOptions(command)
    .option('--json', '{top1, queries, bank, classes, k, temperature, dimension}', false)
    .action(async (train: string, val: string, { checkpoint, k, temperature, json, ...options }: KnnOptions) =>
      end(
        await runFeatureTask<KnnResult>(
          {
            ...{ kind: 'knn', train, val, k, temperature },
            ...(checkpoint !== undefined && { backbone: backboneChoice(checkpoint, options) }),
          },
          (result) => {
            process.stdout.write(json ? `${JSON.stringify(result)}\n` : knnText(result));
          },
        ),
      ),
    );
}

function knnText({ top1, queries, bank, classes, k }: KnnResult): string {
  return `${top1.toFixed(2)} % of ${queries} images right, by ${k} neighbours among ${bank} (${classes} classes)\n`;
}
