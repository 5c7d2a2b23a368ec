import { z } from 'zod';
import { simSiamRunSchema } from './run.ts';

/** JSON that was parsed or is to be written. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A node of SimSiamRun's input schema: JSON Schema as OpenAPI 3.0 has it, with the notes of each field. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly description?: string;
  readonly unit?: string;
  readonly source?: string;
  /** Allowed values in words, where type and bounds would say it badly. */
  readonly allowed?: string;
  readonly default?: Json;
  readonly enum?: readonly (string | number)[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  /** The schema of further fields; true where anything goes, absent where there are none. */
  readonly additionalProperties?: SchemaNode | true;
  readonly anyOf?: readonly SchemaNode[];
  /** Notes for Kubernetes, by their `x-kubernetes-…` key. */
  readonly extensions: Readonly<Record<string, Json>>;
}

const passedThrough = new Set(
  (
    'type description unit source allowed default enum format exclusiveMinimum minLength maxLength pattern minItems ' +
    'maxItems required'
  ).split(' '),
);

/** Zod's JSON Schema, made regular. Throws at a keyword that nothing here understands, rather than to drop a check. */
function regular(raw: unknown, path: string): SchemaNode {
  const node: Record<string, unknown> = { extensions: {} };
  const extensions: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw as Record<string, unknown>)) {
    if (passedThrough.has(key)) node[key] = value;
    else if (key.startsWith('x-kubernetes-')) extensions[key] = value;
    // z.int() bounds by what a double holds exactly: no limit that anyone chose.
    else if (key === 'minimum' || key === 'maximum') {
      if (Math.abs(value as number) !== Number.MAX_SAFE_INTEGER) node[key] = value;
    } else if (key === 'properties') {
      node[key] = Object.fromEntries(
        Object.entries(value as object).map(([name, child]) => [name, regular(child, `${path}.${name}`)]),
      );
    } else if (key === 'items') node[key] = regular(value, `${path}[]`);
    else if (key === 'additionalProperties') {
      if (value !== false) node[key] = isEmpty(value) ? true : regular(value, `${path}.*`);
    } else if (key === 'anyOf') node[key] = (value as unknown[]).map((branch) => regular(branch, path));
    else throw new TypeError(`${path}: the schema keyword ${key} is not known here`);
  }
  node['extensions'] = extensions;
  return unwrapped(node as unknown as SchemaNode);
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** A tuple comes as `anyOf` over its members: one branch where they are alike. Whole literals come as numbers. */
function unwrapped(node: SchemaNode): SchemaNode {
  const [first, ...others] = node.anyOf ?? [];
  if (first !== undefined && others.every((other) => JSON.stringify(other) === JSON.stringify(first))) {
    const { anyOf: _, ...rest } = node;
    return { ...first, ...rest };
  }
  return node.type === 'number' && node.enum?.every(Number.isInteger) === true ? { ...node, type: 'integer' } : node;
}

let tree: SchemaNode | undefined;

/** The schema of a SimSiamRun as people write it. */
export function inputSchema(): SchemaNode {
  tree ??= regular(z.toJSONSchema(simSiamRunSchema, { target: 'openapi-3.0', io: 'input' }), kindPath);
  return tree;
}

const kindPath = 'SimSiamRun';

/** The node of a child, or undefined where the schema has none. A union answers with the branch that has the child. */
function childOf(node: SchemaNode, key: PropertyKey): SchemaNode | undefined {
  if (typeof key === 'number') return node.items;
  const name = String(key);
  if (node.properties !== undefined && Object.hasOwn(node.properties, name)) return node.properties[name];
  if (typeof node.additionalProperties === 'object') return node.additionalProperties;
  for (const branch of node.anyOf ?? []) {
    const child = childOf(branch, name);
    if (child !== undefined) return child;
  }
  return undefined;
}

/** The node at a path, or undefined where the schema has none. */
export function nodeAt(path: readonly PropertyKey[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = inputSchema();
  for (const key of path) node = node && childOf(node, key);
  return node;
}

/** The fields that an object of this schema may have, by name, in the order of the schema. */
export function fieldsOf(node: SchemaNode): [string, SchemaNode][] {
  return [...Object.entries(node.properties ?? {}), ...(node.anyOf ?? []).flatMap(fieldsOf)];
}
