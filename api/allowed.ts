import type { SchemaNode } from './schema-tree.ts';

/** What a field may be, in words: `a whole number from 1 to 4096`. Used by error messages and the reference. */
export function allowedValues(node: SchemaNode): string {
  if (node.allowed !== undefined) return node.allowed;
  if (node.anyOf !== undefined) return node.anyOf.map(allowedValues).join(' or ');
  if (node.enum !== undefined) return node.enum.length === 1 ? String(node.enum[0]) : `one of ${node.enum.join(', ')}`;
  switch (node.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number ${bounds(node)}`.trimEnd();
    case 'number':
      return `a number ${bounds(node)}`.trimEnd();
    case 'string':
      return `a text ${lengths(node, 'characters')}`.trimEnd();
    case 'array':
      return `a list ${lengths(node, node.items?.type === 'object' ? 'mappings' : 'values')}${each(node)}`.trimEnd();
    case 'object':
      return `a mapping${names(node)}`;
    case undefined:
    default:
      return 'anything';
  }
}

function names({ properties = {} }: SchemaNode): string {
  const known = Object.keys(properties);
  return known.length === 0 ? '' : ` of ${known.join(', ')}`;
}

function bounds({ minimum, maximum, exclusiveMinimum }: SchemaNode): string {
  const low = minimum === undefined ? '' : exclusiveMinimum === true ? `above ${minimum}` : `from ${minimum}`;
  const high = maximum === undefined ? '' : exclusiveMinimum === true ? `up to ${maximum}` : `to ${maximum}`;
  return maximum === undefined && exclusiveMinimum !== true && minimum !== undefined
    ? `${low} on`
    : `${low} ${high}`.trim();
}

function lengths(node: SchemaNode, unit: string): string {
  const least = node.minLength ?? node.minItems ?? 0;
  const most = node.maxLength ?? node.maxItems;
  if (most === undefined) return least === 0 ? '' : `of ${least} ${unit} or more`;
  return `of ${least === most ? most : least === 0 ? `at most ${most}` : `${least} to ${most}`} ${unit}`;
}

function each({ items }: SchemaNode): string {
  return items === undefined || items.type === 'object' ? '' : `, each ${allowedValues(items)}`;
}
