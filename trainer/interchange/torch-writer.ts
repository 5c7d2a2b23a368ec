import { byteLengthOf, elementBytes } from '../checkpoint/tensors.ts';
import { type PickledTensor, pickle, pyGlobal, type PyNode, pyTuple, type PyValue, orderedDict } from './pickler.ts';
import { storageClasses } from './pickle-values.ts';
import { writeZip, type ZipEntry } from './zip-writer.ts';

/** The folder inside the archive; PyTorch takes any. */
const folder = 'archive';

/**
 * Writes what `torch.load` reads with `weights_only=True`: its zip format, with a pickle of protocol 2 and a storage of
 * its own for each tensor, on the CPU. Equal values make equal bytes.
 */
export class TorchWriter {
  readonly #storages: Uint8Array[] = [];

  /** A tensor, to be put into the value of {@link file}. */
  tensor({ dtype, shape, bytes }: PickledTensor): PyNode {
    const key = String(this.#storages.length);
    this.#storages.push(bytes);
    const elements = byteLengthOf(dtype, shape) / elementBytes[dtype];
    const storageClass = pyGlobal('torch', storageClasses[dtype]);
    const storage: PyNode = { kind: 'persistent', id: pyTuple('storage', storageClass, key, 'cpu', elements) };
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
    return {
      kind: 'call',
      callee: pyGlobal('torch._utils', '_rebuild_tensor_v2'),
      args: [storage, 0, pyTuple(...shape), pyTuple(...strides), false, orderedDict(new Map())],
    };
  }

  /**
   * The bytes of the file, once all tensors are made.
   *
   * @throws TorchFileError beyond 4 GiB
   */
  file(value: PyValue): Uint8Array[] {
    const entry = (name: string, bytes: Uint8Array): ZipEntry => ({ name: `${folder}/${name}`, bytes });
    return writeZip([
      entry('data.pkl', pickle(value, 2)),
      entry('byteorder', Buffer.from('little')),
      ...this.#storages.map((bytes, key) => entry(`data/${key}`, bytes)),
      entry('version', Buffer.from('3\n')),
    ]);
  }
}
