import type { Command } from 'commander';

import type { EmbedResult } from '../../trainer/embed/task.ts';
import type { CommandEnd } from '../command-end.ts';
import { addBackboneOptions, backboneChoice, runFeatureTask, type BackboneOptions } from '../feature-task.ts';

interface EmbedOptions extends BackboneOptions {
  readonly checkpoint: string;
  readonly output: string;
  readonly json: boolean;
}

export function addEmbed(program: Command, end: (end: CommandEnd) => void): void {
  const command = program
    .command('embed')
    .description("the backbone's features of all images of a folder, in the order of their paths")
    .argument('<data>', 'a folder of images, or what else spec.data.train takes')
    .requiredOption(
      '--checkpoint <path>',
      "a run's or checkpoint's folder, or a .safetensors, .pth.tar, .pth or .pt file",
    )
    .requiredOption(
      '--output <file>',
      'F.npy or F.safetensors: float32 [images, features]; paths and labels go to F.json',
    );
  addBackboneOptions(command)
    .option('--json', '{output, names, arch, images, dimension, imageSize, skipped}', false)
    .action(async (data: string, { checkpoint, output, json, ...options }: EmbedOptions) =>
      end(
        await runFeatureTask<EmbedResult>(
          { kind: 'embed', data, output, ...backboneChoice(checkpoint, options) },
          (result) => {
            process.stdout.write(json ? `${JSON.stringify(result)}\n` : embedText(result));
          },
        ),
      ),
    );
}

const shown = 5;

function embedText({ output, names, arch, images, dimension, imageSize, skipped }: EmbedResult): string {
  const left = skipped.length > shown ? ', …' : '';
  const missing = skipped.length > 0 ? `unreadable, without a row: ${skipped.slice(0, shown).join(', ')}${left}\n` : '';
  return `${output}: ${images} × ${dimension} features of ${arch} at ${imageSize} pixels; names are in ${names}\n${missing}`;
}
