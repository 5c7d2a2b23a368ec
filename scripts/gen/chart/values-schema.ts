import { shapes } from './shapes.ts';
import type { ChartValue, JsonSchema } from './values-tree.ts';

/** values.schema.json: Helm refuses values that it doesn't allow, misspelt names among them. */
export function valuesSchema(values: readonly ChartValue[]): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $comment: 'Generated from values.yaml by `npm run gen`. Do not edit.',
    title: 'Values of simsiam-operator',
    ...groupSchema(values, { global: { type: 'object', description: "Helm's own, for all charts of a release." } }),
    $defs: shapes,
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

function groupSchema(values: readonly ChartValue[], more: JsonSchema = {}): JsonSchema {
  const properties = Object.fromEntries(values.map((value) => [value.name, valueSchema(value)]));
  return { type: 'object', properties: { ...properties, ...more }, additionalProperties: false };
}

function valueSchema({ value, description, schema, children }: ChartValue): JsonSchema {
  const described = description === '' ? {} : { description };
  if (children !== undefined) return { ...groupSchema(children), ...described };
  return { ...('$ref' in schema ? {} : { type: typeOf(value) }), ...schema, ...described, default: value };
}

/** @throws TypeError for a list or a mapping: of what, its default can't tell */
function typeOf(value: unknown): string {
  if (typeof value === 'boolean' || typeof value === 'string') return typeof value;
  if (Number.isInteger(value)) return 'integer';
  throw new TypeError(`values.yaml: the default ${JSON.stringify(value)} needs an @schema`);
}
