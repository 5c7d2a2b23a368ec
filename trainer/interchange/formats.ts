import { ConvertError } from './errors.ts';

/** What can be written: the suffix of the path decides. */
export type TargetFormat = 'torch-checkpoint' | 'torch-backbone' | 'safetensors' | 'detectron2' | 'onnx' | 'folder';

const suffixes: readonly (readonly [string, TargetFormat])[] = [
  ['.pth.tar', 'torch-checkpoint'],
  ['.pth', 'torch-backbone'],
  ['.pt', 'torch-backbone'],
  ['.safetensors', 'safetensors'],
  ['.pkl', 'detectron2'],
  ['.onnx', 'onnx'],
];

/** @throws ConvertError for a suffix that means nothing */
export function targetFormat(path: string): TargetFormat {
  const format = suffixes.find(([suffix]) => path.endsWith(suffix))?.[1];
  if (format !== undefined) return format;
  if (!/\.[^./\\]+$/.test(path)) return 'folder';
  throw new ConvertError(
    `${path}: what to write is told by its end: ${suffixes.map(([suffix]) => suffix).join(', ')}, ` +
      'or none for a folder with model.safetensors',
  );
}

export function isTorchFile(path: string): boolean {
  return suffixes.some(([suffix, format]) => format.startsWith('torch-') && path.endsWith(suffix));
}
