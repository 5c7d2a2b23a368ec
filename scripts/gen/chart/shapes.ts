import type { JsonSchema } from './values-tree.ts';

/** Shapes that several values of the chart have, as `$defs` of their schema. */
export const shapes: Readonly<Record<string, JsonSchema>> = {
  digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
  duration: { type: 'string', pattern: '^([0-9]+(ms|s|m|h))+$' },
  object: { type: 'object' },
  objects: { type: 'array', items: { type: 'object' } },
  references: {
    type: 'array',
    items: {
      type: 'object',
      properties: { name: { type: 'string', minLength: 1 } },
      required: ['name'],
      additionalProperties: false,
    },
  },
  resources: {
    type: 'object',
    properties: {
      requests: { $ref: '#/$defs/quantities' },
      limits: { $ref: '#/$defs/quantities' },
      claims: { $ref: '#/$defs/objects' },
    },
    additionalProperties: false,
  },
  quantities: { type: 'object', additionalProperties: { type: ['integer', 'number', 'string'] } },
  strings: { type: 'object', additionalProperties: { type: 'string' } },
  words: { type: 'array', items: { type: 'string' } },
};
