import type { Architecture, PretrainSpec } from '../../api/run.ts';
import type { NamedTensor } from '../checkpoint/tensors.ts';
import { isParameter, type Network } from './network.ts';

interface CardOptions {
  readonly network: Network;
  readonly arch: Architecture;
  /** The tensors that the file has. */
  readonly tensors: readonly NamedTensor[];
  /** Name of the file. */
  readonly file: string;
  readonly isBare: boolean;
}

/** What a file's README.md says: what it is, how it was trained as far as that is known, and how to load it. */
export function modelCard({ network, arch, tensors, file, isBare }: CardOptions): string {
  const { recipe, epoch } = network;
  const parameters = tensors.filter(isParameter).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const rows = [
    ['architecture', isBare ? `${arch}, the backbone alone` : `${arch} with SimSiam's projector and predictor`],
    ['parameters', parameters.toLocaleString('en-US')],
    ['epochs', epoch === undefined ? 'not known' : String(epoch)],
    ...(recipe ? recipeRows(recipe) : [['recipe', 'not known: the file is not of a run']]),
  ];
  return `---
library_name: pytorch
pipeline_tag: image-feature-extraction
tags: [simsiam, self-supervised, ${arch}]
---

# ${arch}, pre-trained by SimSiam

Weights in \`${file}\`, without labels trained by the method of Chen & He,
[Exploring Simple Siamese Representation Learning](https://arxiv.org/abs/2011.10566), with simsiam-operator.

| what | value |
| --- | --- |
${rows.map(([what, value]) => `| ${what} | ${value} |`).join('\n')}

Images: RGB in [0, 1], minus the mean, divided by the standard deviation of each channel.

${isBare ? loadingBackbone(arch, file) : loadingAll(file)}`;
}

function recipeRows(recipe: PretrainSpec): string[][] {
  const { imageSize, stem, width, batchSize, learningRate, weightDecay, momentum, seed, normalize } = recipe;
  return [
    ['image size', `${imageSize} pixels`],
    ['normalisation', `mean ${normalize.mean.join(', ')}; standard deviation ${normalize.std.join(', ')}`],
    ['stem and width', `${stem}, ${width} channels`],
    ['batch', `${batchSize} images`],
    ['learning rate', `${learningRate} × batch / 256, cosine decay over ${recipe.epochs} epochs`],
    ['SGD', `momentum ${momentum}, weight decay ${weightDecay}`],
    ['seed', String(seed)],
  ];
}

function loadingBackbone(arch: string, file: string): string {
  return `\`\`\`python
import torch
from safetensors.torch import load_file
from torchvision.models import ${arch}

model = ${arch}()
model.fc = torch.nn.Identity()
model.load_state_dict(load_file("${file}"), strict=True)
\`\`\`

With another stem or width than torchvision's the layers have to be changed first.
`;
}

function loadingAll(file: string): string {
  return `\`\`\`python
from safetensors.torch import load_file

state_dict = load_file("${file}")  # encoder.* with the projector as encoder.fc.*, and predictor.*
\`\`\`
`;
}
