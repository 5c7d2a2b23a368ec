import { allowedValues } from './allowed.ts';
import type { Json, SchemaNode } from './schema-tree.ts';

/** A node of a structural schema, as `openAPIV3Schema` has it. */
export type CrdNode = { [key: string]: Json };

const copied = [
  'type',
  'default',
  'enum',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'required',
] as const satisfies readonly (keyof SchemaNode)[];

/**
 * Makes a schema structural, as a CustomResourceDefinition wants it: one type a node, no unions, and unknown fields are
 * dropped or refused by the API server itself rather than by `additionalProperties: false`.
 */
export function structural(node: SchemaNode): CrdNode {
  const result: CrdNode = { ...described(node), ...node.extensions };
  if (node.extensions['x-kubernetes-int-or-string'] === true) return result;
  if (node.anyOf !== undefined) return { ...result, ...wordOrMapping(node) };
  for (const key of copied) if (node[key] !== undefined) result[key] = node[key] as Json;
  if (node.properties !== undefined && Object.keys(node.properties).length > 0) {
    result['properties'] = propertiesOf(node);
  }
  if (node.items !== undefined) result['items'] = structural(node.items);
  if (node.additionalProperties === true) result['x-kubernetes-preserve-unknown-fields'] = true;
  else if (node.additionalProperties !== undefined)
    result['additionalProperties'] = structural(node.additionalProperties);
  return result;
}

/**
 * A union of one word and a mapping, such as `none` or the fields of a chain. A structural node has one type, except
 * one that keeps unknown fields: that needs none, so `pattern` judges a text and `properties` judge a mapping. CEL can't
 * see into such a node, and the API server keeps misspelt fields in it: both are left to the manifest parser.
 */
function wordOrMapping(node: SchemaNode): CrdNode {
  const [word, mapping, ...others] = node.anyOf ?? [];
  const [only] = word?.enum ?? [];
  if (typeof only !== 'string' || mapping?.type !== 'object' || others.length > 0) {
    throw new TypeError(`a structural schema can't hold this union: ${allowedValues(node)}`);
  }
  return {
    ...(node.default !== undefined && { default: node.default }),
    'x-kubernetes-preserve-unknown-fields': true,
    pattern: `^${only}$`,
    properties: propertiesOf(mapping),
  };
}

function propertiesOf(node: SchemaNode): CrdNode {
  return Object.fromEntries(Object.entries(node.properties ?? {}).map(([name, child]) => [name, structural(child)]));
}

/** What `kubectl explain` says: meaning, unit, default and source. */
function described(node: SchemaNode): CrdNode {
  const sentences = [node.description];
  if (node.unit !== undefined) sentences.push(`Unit: ${node.unit}.`);
  if (node.default !== undefined && !isMapping(node.default))
    sentences.push(`Default: ${JSON.stringify(node.default)}.`);
  if (node.source !== undefined) sentences.push(`Source: ${node.source}.`);
  const text = sentences.filter((sentence) => sentence !== undefined).join(' ');
  return text === '' ? {} : { description: text };
}

function isMapping(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
