import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { simSiamRunCrd } from '../../api/crd.ts';
import { generatedFiles } from '../../scripts/gen/generated-files.ts';

const root = join(import.meta.dirname, '../../..');

for (const { path, text } of generatedFiles()) {
  test(`${path} is what the schema gives (else: npm run gen)`, () => {
    assert.equal(readFileSync(join(root, path), 'utf8'), text);
  });
}

test('the CustomResourceDefinition reads the same in YAML 1.1, which kubectl has, and 1.2', () => {
  const text = readFileSync(join(root, 'crds/simsiam.dev_simsiamruns.yaml'), 'utf8');
  assert.deepEqual(parse(text, { version: '1.1' }), simSiamRunCrd());
  assert.deepEqual(parse(text, { version: '1.2' }), simSiamRunCrd());
});
