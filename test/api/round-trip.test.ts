import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../support/property.ts';
import { stringify } from 'yaml';
import { parseManifest } from '../../api/manifest.ts';
import { recipeHash } from '../../api/recipe.ts';
import { arbitraryRun } from './arbitrary-run.ts';

test('any valid run, written as YAML or as JSON, is read as itself', () => {
  fc.assert(
    fc.property(arbitraryRun(), (run) => {
      const read = parseManifest(stringify(run, { aliasDuplicateObjects: false }), 'run.yaml');
      assert.deepEqual(read, run);
      assert.equal(recipeHash(read), recipeHash(run));
      assert.deepEqual(parseManifest(JSON.stringify(run), 'run.json'), run);
    }),
    { numRuns: 100 },
  );
});
