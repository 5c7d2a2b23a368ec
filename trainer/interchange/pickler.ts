import type { TorchDType } from './pickle-values.ts';

/**
 * A value to be pickled. JavaScript's numbers are Python's ints; {@link PyFloat} is its float. An array is a list, a Map
 * a dict; objects are made by calls, as pickle describes them.
 */
export type PyValue = null | boolean | number | string | Uint8Array | readonly PyValue[] | PyDict | PyNode;

export type PyDict = ReadonlyMap<string | number, PyValue>;

export type PyNode =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'tuple'; readonly items: readonly PyValue[] }
  | { readonly kind: 'global'; readonly module: string; readonly name: string }
  /** `callee(*args)`, then its dict items, then its `__setstate__`. */
  | {
      readonly kind: 'call';
      readonly callee: PyValue;
      readonly args: readonly PyValue[];
      readonly items?: PyDict;
      readonly state?: PyValue;
    }
  /** PyTorch's storages. */
  | { readonly kind: 'persistent'; readonly id: PyValue };

export const pyFloat = (value: number): PyNode => ({ kind: 'float', value });

export const pyTuple = (...items: readonly PyValue[]): PyNode => ({ kind: 'tuple', items });

export const pyGlobal = (module: string, name: string): PyNode => ({ kind: 'global', module, name });

/** A dict that PyTorch makes of its modules' state. */
export const orderedDict = (items: PyDict): PyNode => ({
  kind: 'call',
  callee: pyGlobal('collections', 'OrderedDict'),
  args: [],
  items,
});

/** A tensor and where its bytes go. */
export interface PickledTensor {
  readonly dtype: TorchDType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Pickles a value without a memo: nothing is shared in it.
 *
 * @param protocol 2, as PyTorch writes; 3 where there are bytes
 */
export function pickle(value: PyValue, protocol: 2 | 3): Buffer {
  const parts: Uint8Array[] = [Buffer.of(0x80, protocol)];
  put(parts, value);
  return Buffer.concat([...parts, Buffer.from('.')]);
}

function put(parts: Uint8Array[], value: PyValue): void {
  if (value === null) parts.push(Buffer.from('N'));
  else if (typeof value === 'boolean') parts.push(Buffer.of(value ? 0x88 : 0x89));
  else if (typeof value === 'number') parts.push(integer(value));
  else if (typeof value === 'string') parts.push(...sized('X', Buffer.from(value)));
  else if (value instanceof Uint8Array) parts.push(...sized('B', value));
  else if (value instanceof Map) putDict(parts, '}', value);
  else if (isList(value)) {
    parts.push(Buffer.from(']('));
    for (const item of value) put(parts, item);
    parts.push(Buffer.from('e'));
  } else putNode(parts, value as PyNode);
}

function isList(value: PyValue): value is readonly PyValue[] {
  return Array.isArray(value);
}

function putDict(parts: Uint8Array[], made: string, dict: PyDict): void {
  parts.push(Buffer.from(`${made}(`));
  for (const [key, value] of dict) {
    put(parts, key);
    put(parts, value);
  }
  parts.push(Buffer.from('u'));
}

function putNode(parts: Uint8Array[], node: PyNode): void {
  switch (node.kind) {
    case 'float': {
      const bytes = Buffer.alloc(9, 'G');
      bytes.writeDoubleBE(node.value, 1);
      parts.push(bytes);
      return;
    }
    case 'tuple':
      parts.push(Buffer.from('('));
      for (const item of node.items) put(parts, item);
      parts.push(Buffer.from('t'));
      return;
    case 'global':
      parts.push(Buffer.from(`c${node.module}\n${node.name}\n`));
      return;
    case 'persistent':
      put(parts, node.id);
      parts.push(Buffer.from('Q'));
      return;
    case 'call':
      put(parts, node.callee);
      put(parts, { kind: 'tuple', items: node.args });
      parts.push(Buffer.from('R'));
      if (node.items) putDict(parts, '', node.items);
      if (node.state !== undefined) {
        put(parts, node.state);
        parts.push(Buffer.from('b'));
      }
      return;
  }
}

function sized(opcode: string, bytes: Uint8Array): Uint8Array[] {
  const head = Buffer.alloc(5, opcode);
  head.writeUInt32LE(bytes.byteLength, 1);
  return [head, bytes];
}

/** BININT where it fits, else LONG1. */
function integer(value: number): Buffer {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is no int: use pyFloat`);
  if (value >= -(2 ** 31) && value < 2 ** 31) {
    const bytes = Buffer.alloc(5, 'J');
    bytes.writeInt32LE(value, 1);
    return bytes;
  }
  const bytes = Buffer.from([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeBigInt64LE(BigInt(value), 2);
  return bytes;
}
