import { writeZip } from '../../trainer/interchange/zip-writer.ts';

/** A pickle of protocol 2 from its opcodes. */
export function pickleOf(...opcodes: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat([
    Buffer.of(0x80, 2),
    ...opcodes.map((part) => Buffer.from(part as string, 'latin1')),
    Buffer.from('.'),
  ]);
}

/** A file of PyTorch with this pickle, and whatever else. */
export function torchZip(pickle: Uint8Array, entries: Readonly<Record<string, Uint8Array>> = {}): Buffer {
  const others = Object.entries(entries).map(([name, bytes]) => ({ name, bytes }));
  return Buffer.concat(writeZip([{ name: 'archive/data.pkl', bytes: pickle }, ...others]));
}

const text = (value: string): string => `X${String.fromCharCode(value.length)}\0\0\0${value}`;

interface TensorOptions {
  /** Elements that the pickle says the storage has. */
  readonly elements?: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly key?: string;
}

/** The opcodes of a tensor of float32. */
export function tensorOpcodes({ elements = 4, offset = 0, shape, strides, key = '0' }: TensorOptions): string {
  const int = (value: number): string => {
    const bytes = Buffer.alloc(10, 0);
    bytes.set([0x8a, 8]);
    bytes.writeBigInt64LE(BigInt(value), 2);
    return bytes.toString('latin1');
  };
  const tuple = (values: readonly number[]): string => `(${values.map(int).join('')}t`;
  const id = `(${text('storage')}ctorch\nFloatStorage\n${text(key)}${text('cpu')}${int(elements)}tQ`;
  return `ctorch._utils\n_rebuild_tensor_v2\n(${id}${int(offset)}${tuple(shape)}${tuple(strides)}\x89ccollections\nOrderedDict\n)RtR`;
}
