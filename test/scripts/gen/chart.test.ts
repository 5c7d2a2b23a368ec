import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { parse } from 'yaml';

import { chartFolder } from '../../../scripts/gen/chart/chart-files.ts';
import { crdTemplate } from '../../../scripts/gen/chart/crd-template.ts';
import { valuesSchema } from '../../../scripts/gen/chart/values-schema.ts';
import { chartValues } from '../../../scripts/gen/chart/values-tree.ts';

const root = join(import.meta.dirname, '../../../..');

const text = `# Of the file.

# How many.
# @schema {minimum: 1}
replicas: 2
image:
  # Which one,
  # in two lines.
  name: a
# Any labels.
# @schema {$ref: '#/$defs/strings'}
labels: {}
`;

describe('the values of the chart, read with their comments', () => {
  test('groups, descriptions, schemas', () => {
    assert.deepEqual(chartValues(text), [
      { name: 'replicas', value: 2, description: 'How many.', schema: { minimum: 1 } },
      {
        ...{ name: 'image', value: { name: 'a' }, description: '', schema: {} },
        children: [{ name: 'name', value: 'a', description: 'Which one, in two lines.', schema: {} }],
      },
      { name: 'labels', value: {}, description: 'Any labels.', schema: { $ref: '#/$defs/strings' } },
    ]);
  });

  test('a value without a comment is refused', () => {
    assert.throws(() => chartValues('a:\n  b: 1\n'), /a\.b has no comment/);
  });

  test('a list whose items are not told is refused', () => {
    assert.throws(() => valuesSchema(chartValues('# Some.\na: []\n')), /needs an @schema/);
  });

  test('the schema takes no other values', () => {
    const schema = JSON.parse(valuesSchema(chartValues(text))) as {
      properties: Record<string, object>;
      additionalProperties: boolean;
    };
    assert.equal(schema.additionalProperties, false);
    assert.deepEqual(schema.properties['replicas'], {
      ...{ type: 'integer', minimum: 1 },
      ...{ description: 'How many.', default: 2 },
    });
    assert.deepEqual(schema.properties['labels'], {
      $ref: '#/$defs/strings',
      ...{ description: 'Any labels.', default: {} },
    });
  });
});

test('what Helm would take for a template in the CustomResourceDefinition is refused', () => {
  assert.throws(() => crdTemplate('metadata:\n  name: a\nx: "{{ y }}"\n'), TypeError);
});

test('the chart has the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const chart = parse(readFileSync(join(root, chartFolder, 'Chart.yaml'), 'utf8')) as Record<string, string>;
  assert.deepEqual([chart['version'], chart['appVersion']], [version, version]);
});
