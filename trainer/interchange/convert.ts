import { basename, dirname, join } from 'node:path';

import type { Architecture } from '../../api/run.ts';
import { encodeJson } from '../checkpoint/json.ts';
import { encodeSafetensors } from '../checkpoint/safetensors.ts';
import type { NamedTensor } from '../checkpoint/tensors.ts';
import { toDetectron2 } from './detectron2.ts';
import { ConvertError } from './errors.ts';
import { type TargetFormat, targetFormat } from './formats.ts';
import { modelCard } from './model-card.ts';
import { architectureOf, backboneOf, isPretrained, type Network } from './network.ts';
import { toOnnx } from './onnx/to-onnx.ts';
import { readNetwork } from './read-network.ts';
import { toTorchCheckpoint, toTorchStateDict } from './torch-checkpoint.ts';
import { type Contents, refuseExisting, writeNew } from './write-new.ts';

/** Those that hold a backbone and nothing else. */
const bareFormats: readonly TargetFormat[] = ['torch-backbone', 'detectron2', 'onnx'];

interface ConvertOptions {
  /** A `.pth.tar`, `.pth`, `.pt` or `.safetensors` file, or the folder of a checkpoint. */
  readonly from: string;
  /** Doesn't exist yet; its end decides what is written. */
  readonly to: string;
  /** Only the backbone, by torchvision's names; `.pth`, `.pt`, `.pkl` and `.onnx` hold nothing else anyway. */
  readonly backbone: boolean;
  /** Also write a README.md beside a `.safetensors` file that says what it is. Default false. */
  readonly card?: boolean;
}

/** What was written. */
export interface Conversion {
  readonly format: TargetFormat;
  readonly arch: Architecture;
  readonly tensors: number;
  readonly momentumBuffers: number;
}

/**
 * Converts a network between files of this program, of PyTorch, of detectron2 and of ONNX. Bytes of tensors are never changed.
 *
 * @throws ConvertError, TorchFileError, TorchClassError, SafetensorsError, and the errors of storage
 */
export async function convert({ from, to, backbone, card = false }: ConvertOptions): Promise<Conversion> {
  const format = targetFormat(to);
  if (backbone && (format === 'torch-checkpoint' || format === 'folder')) {
    throw new ConvertError(`${to} is a whole checkpoint: for the backbone write a .safetensors or .pth file`);
  }
  const readme = join(dirname(to), 'README.md');
  if (card && format !== 'safetensors') throw new ConvertError(`${to} is no .safetensors file: only those get a card`);
  if (card) await refuseExisting(readme);
  const network = await readNetwork(from);
  const bare = backboneOf(network.tensors);
  const arch = architectureOf(bare);
  const isBare = backbone || bareFormats.includes(format);
  const tensors = isBare ? bare : network.tensors;
  await writeNew(to, contentsOf(format, network, tensors));
  if (card) {
    const text = modelCard({ network, arch, tensors, file: basename(to), isBare: isBare || !isPretrained(tensors) });
    await writeNew(readme, [Buffer.from(text)]);
  }
  const hasMomenta = format === 'torch-checkpoint' || format === 'folder';
  return {
    format,
    arch,
    tensors: tensors.length,
    momentumBuffers: hasMomenta ? network.momenta.length : 0,
  };
}

function contentsOf(format: TargetFormat, network: Network, tensors: readonly NamedTensor[]): Contents {
  switch (format) {
    case 'torch-checkpoint':
      return toTorchCheckpoint(network);
    case 'torch-backbone':
      return toTorchStateDict(tensors);
    case 'detectron2':
      return toDetectron2(tensors);
    case 'onnx':
      return toOnnx(tensors, network.recipe);
    case 'safetensors':
      return safetensors(tensors);
    case 'folder':
      return folder(network);
  }
}

/** The files of a checkpoint of ours, as far as they are known. It belongs to no run, so it has no manifest. */
function folder({ tensors, momenta, epoch }: Network): Contents {
  const files = new Map([['model.safetensors', safetensors(tensors)]]);
  if (momenta.length > 0) files.set('optimizer.safetensors', safetensors(momenta));
  if (epoch !== undefined) files.set('state.json', [encodeJson({ epoch })]);
  return files;
}

/** With what a run's own files say of themselves, so that there and back is equal to the byte. */
function safetensors(tensors: readonly NamedTensor[]): Uint8Array[] {
  return encodeSafetensors(tensors, { format: 'pt' });
}
