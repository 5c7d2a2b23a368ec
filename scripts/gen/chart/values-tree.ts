import { isMap, isScalar, parse, parseDocument, type Node, type Pair } from 'yaml';

/** JSON Schema, or any part of it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A value of the chart, as values.yaml has it. */
export interface ChartValue {
  readonly name: string;
  /** Its default; of a group, that of all in it. */
  readonly value: unknown;
  /** The comment above it; empty for a group that needs none. */
  readonly description: string;
  /** What `@schema` in the comment says. */
  readonly schema: JsonSchema;
  /** The values of a group; undefined for a value that is set as a whole. */
  readonly children?: readonly ChartValue[];
}

/**
 * Reads values.yaml with its comments. A mapping without `@schema` is a group.
 *
 * @throws TypeError if a value has no comment
 */
export function chartValues(text: string): readonly ChartValue[] {
  const document = parseDocument(text);
  if (!isMap(document.contents)) throw new TypeError('values.yaml is no mapping');
  return childrenOf(document.contents, '');
}

function childrenOf(map: Node, path: string): ChartValue[] {
  if (!isMap(map)) return [];
  return map.items.map((pair, index) => {
    // The parser gives the comment above the first key to the mapping around it, but not at the top.
    const first = index === 0 && path !== '' ? map.commentBefore : undefined;
    return valueOf(pair as Pair<Node, Node>, first ?? undefined, path);
  });
}

function valueOf({ key, value }: Pair<Node, Node>, outer: string | undefined, parent: string): ChartValue {
  if (!isScalar(key) || value === null) throw new TypeError(`values.yaml: ${parent} has a key without a value`);
  const name = String(key.value);
  const path = parent === '' ? name : `${parent}.${name}`;
  const { description, schema } = splitComment(key.commentBefore ?? outer ?? '');
  const isGroup = isMap(value) && schema === undefined;
  if (!isGroup && description === '') throw new TypeError(`values.yaml: ${path} has no comment`);
  return {
    ...{ name, value: value.toJSON() as unknown, description, schema: schema ?? {} },
    ...(isGroup && { children: childrenOf(value, path) }),
  };
}

function splitComment(comment: string): { description: string; schema: JsonSchema | undefined } {
  // An empty line parts it from what stands above, such as the comment of the file.
  const paragraph = comment.split(/\n\s*\n/).at(-1) ?? '';
  const lines = paragraph.split('\n').map((line) => line.trim());
  const schema = lines.find((line) => line.startsWith('@schema '));
  return {
    description: lines
      .filter((line) => line !== schema)
      .join(' ')
      .trim(),
    schema: schema === undefined ? undefined : (parse(schema.slice('@schema '.length)) as JsonSchema),
  };
}
