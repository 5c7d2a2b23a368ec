/**
 * The messages of ONNX (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) that a convolutional network needs, by
 * the numbers of their fields there.
 */
import { bytesField, floatField, stringField, varintField } from '../../protobuf.ts';

const elementFloat = 1;

export type AttributeValue =
  { readonly int: number } | { readonly ints: readonly number[] } | { readonly float: number };

/** AttributeProto; its last field says which of the values it has. */
function attribute(name: string, value: AttributeValue): Buffer {
  const named = stringField(1, name);
  if ('float' in value) return Buffer.concat([named, floatField(2, value.float), varintField(20, 1)]);
  if ('int' in value) return Buffer.concat([named, varintField(3, value.int), varintField(20, 2)]);
  return Buffer.concat([named, ...value.ints.map((int) => varintField(8, int)), varintField(20, 7)]);
}

export interface OnnxNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** NodeProto. */
function node({ op, name, inputs, output, attributes = {} }: OnnxNode): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => stringField(1, input)),
    ...[stringField(2, output), stringField(3, name), stringField(4, op)],
    ...Object.entries(attributes).map(([key, value]) => bytesField(5, attribute(key, value))),
  ]);
}

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** float32, little-endian. */
  readonly bytes: Uint8Array;
}

/** TensorProto. */
function tensor({ name, shape, bytes }: OnnxTensor): Buffer {
  return Buffer.concat([
    ...shape.map((size) => varintField(1, size)),
    ...[varintField(2, elementFloat), stringField(8, name), bytesField(9, bytes)],
  ]);
}

/** A float32 input or output; an axis with a name may have any length. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

/** ValueInfoProto. */
function valueInfo({ name, shape }: OnnxValue): Buffer {
  const axes = shape.map((size) =>
    bytesField(1, typeof size === 'number' ? varintField(1, size) : stringField(2, size)),
  );
  const tensorType = Buffer.concat([varintField(1, elementFloat), bytesField(2, Buffer.concat(axes))]);
  return Buffer.concat([stringField(1, name), bytesField(2, bytesField(1, tensorType))]);
}

export interface OnnxModel {
  readonly name: string;
  readonly description: string;
  readonly nodes: readonly OnnxNode[];
  readonly weights: readonly OnnxTensor[];
  readonly input: OnnxValue;
  readonly output: OnnxValue;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Version 8 of the format and 13 of the operators: what runtimes since 2021 read. */
const irVersion = 8;
const opset = 13;

/** ModelProto with its GraphProto. */
export function encodeModel(model: OnnxModel): Buffer {
  const graph = Buffer.concat([
    ...model.nodes.map((entry) => bytesField(1, node(entry))),
    stringField(2, model.name),
    ...model.weights.map((entry) => bytesField(5, tensor(entry))),
    bytesField(11, valueInfo(model.input)),
    bytesField(12, valueInfo(model.output)),
  ]);
  return Buffer.concat([
    ...[varintField(1, irVersion), stringField(2, 'simsiam-operator'), stringField(6, model.description)],
    bytesField(7, graph),
    bytesField(8, Buffer.concat([stringField(1, ''), varintField(2, opset)])),
    ...Object.entries(model.metadata).map(([key, value]) =>
      bytesField(14, Buffer.concat([stringField(1, key), stringField(2, value)])),
    ),
  ]);
}
