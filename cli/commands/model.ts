import type { Command } from 'commander';
import { Option } from 'commander';

import { architectures, pretrainSchema } from '../../api/pretrain.ts';
import type { Architecture } from '../../api/run.ts';
import type { ModelDescription } from '../../trainer/model/describe.ts';

export function addModel(program: Command): void {
  program
    .command('model')
    .description("a model's parameters, by PyTorch's names and shapes")
    .addOption(new Option('--arch <name>', 'backbone').choices(architectures).default('resnet50'))
    .option('--json', '{arch, parameters: {total, trainable}, layers: [{name, shape, trainable}]}', false)
    .action(async ({ arch, json }: { arch: Architecture; json: boolean }) => {
      // Here and not above: it loads TensorFlow.
      const { describeModel } = await import('../../trainer/model/describe.ts');
      const description = describeModel(pretrainSchema.parse({ arch }));
      process.stdout.write(json ? `${JSON.stringify(description)}\n` : modelTable(description));
    });
}

/** A line a parameter, then the totals. */
export function modelTable({ arch, parameters, layers }: ModelDescription): string {
  const width = Math.max(...layers.map(({ name }) => name.length));
  const lines = layers.map(
    ({ name, shape, trainable }) => `${name.padEnd(width)}  ${shape.join('×')}${trainable ? '' : '  frozen'}`,
  );
  const count = (value: number): string => value.toLocaleString('en-US');
  lines.push('', `${arch}: ${count(parameters.total)} parameters, ${count(parameters.trainable)} of them trainable`);
  return `${lines.join('\n')}\n`;
}
