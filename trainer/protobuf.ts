/** Fields of a protobuf message, in its wire format, as far as TensorBoard's events and ONNX's models need it. */

const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

export function varintField(field: number, value: number): Buffer {
  return Buffer.concat([tag(field, wireType.varint), varint(BigInt(value))]);
}

export function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(field, wireType.fixed64), bytes]);
}

export function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([tag(field, wireType.fixed32), bytes]);
}

export function stringField(field: number, value: string): Buffer {
  return bytesField(field, Buffer.from(value));
}

/** A string, bytes or a message within. */
export function bytesField(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([tag(field, wireType.bytes), varint(BigInt(value.length)), value]);
}

function tag(field: number, type: number): Buffer {
  return varint(BigInt((field << 3) | type));
}

/** Seven bits a byte, the lowest first. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}
