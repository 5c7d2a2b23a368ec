import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { withFaultTable } from '../../../scripts/testing/fault-table.ts';

const document = await readFile(new URL('../../../../docs/reliability.md', import.meta.url), 'utf8');

test('the table of faults takes the place of the one before', () => {
  const once = withFaultTable(document, [{ fault: 'a', outcome: 'b', seconds: 1.26 }], 'Here.');
  assert.match(once, /\n\nHere\.\n\n\| fault .*\n\| --- .*\n\| a \| b \| 1\.3 \|\n\n/);
  const twice = withFaultTable(once, [{ fault: 'c', outcome: 'd' }], 'There.');
  assert.match(twice, /\| c \| d \| – \|/);
  assert.doesNotMatch(twice, /Here|\| a \|/);
  assert.equal(withFaultTable(twice, [{ fault: 'a', outcome: 'b', seconds: 1.26 }], 'Here.'), once);
});

test('a document without a place for it is an error', () => {
  assert.throws(() => withFaultTable('# Reliability\n', [], ''), /has no/);
});
