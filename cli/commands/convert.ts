import type { Command } from 'commander';

import type { Conversion } from '../../trainer/interchange/convert.ts';
import { convert } from '../../trainer/interchange/convert.ts';

interface ConvertCommandOptions {
  readonly backbone: boolean;
  readonly card: boolean;
  readonly json: boolean;
}

export function addConvert(program: Command): void {
  program
    .command('convert')
    .description("convert checkpoints from and to PyTorch's, and to detectron2's and ONNX; the end of <out> decides")
    .argument('<in>', "a checkpoint's folder, or a .safetensors, .pth.tar, .pth or .pt file")
    .argument('<out>', '.pth.tar; .pth or .pt: the backbone; .safetensors; .pkl: for detectron2; .onnx; else a folder')
    .option('--backbone', "of a .safetensors: only the backbone, by torchvision's names", false)
    .option('--card', 'with a .safetensors: also a README.md beside it that says what it is', false)
    .option('--json', '{format, arch, tensors, momentumBuffers}', false)
    .action(async (from: string, to: string, { backbone, card, json }: ConvertCommandOptions) => {
      const conversion = await convert({ from, to, backbone, card });
      process.stdout.write(json ? `${JSON.stringify(conversion)}\n` : conversionText(to, conversion));
    });
}

function conversionText(to: string, { arch, tensors, momentumBuffers }: Conversion): string {
  const momenta = momentumBuffers > 0 ? ` and ${momentumBuffers} momentum buffers` : '';
  return `${to}: ${arch}, ${tensors} tensors${momenta}\n`;
}
