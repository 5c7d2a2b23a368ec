import assert from 'node:assert/strict';
import { test } from 'node:test';

import { packageClosure } from '../../../scripts/images/package-closure.ts';

const installed = {
  'node_modules/a': { dependencies: { b: '1', c: '1' } },
  'node_modules/a/node_modules/b': { dependencies: { d: '1' } },
  'node_modules/b': {},
  'node_modules/c': { optionalDependencies: { gone: '1' }, peerDependencies: { e: '1' } },
  'node_modules/d': { dependencies: { a: '1' } },
  'node_modules/e': {},
  'node_modules/unused': {},
  'node_modules/@scope/f': { dependencies: { e: '1' } },
};

test('what packages need, the nearest copy of each, each once, and nothing else', () => {
  assert.deepEqual(packageClosure(['a'], installed), [
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/c',
    'node_modules/d',
    'node_modules/e',
  ]);
});

test('packages of a scope', () => {
  assert.deepEqual(packageClosure(['@scope/f'], installed), ['node_modules/@scope/f', 'node_modules/e']);
});

test('a package that is needed and missing is an error that says by whom', () => {
  const broken = { 'node_modules/a': { dependencies: { b: '1' } } };
  assert.throws(() => packageClosure(['a'], broken), /^Error: b, which node_modules\/a needs, is missing$/);
  assert.throws(() => packageClosure(['z'], broken), /^Error: z, which this project needs, is missing$/);
});
