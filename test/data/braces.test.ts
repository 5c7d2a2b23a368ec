import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expandBraces } from '../../trainer/data/braces.ts';

const cases: readonly { readonly pattern: string; readonly paths: readonly string[]; readonly why: string }[] = [
  { pattern: 'a.tar', paths: ['a.tar'], why: 'nothing to expand' },
  { pattern: 'a-{008..010}.tar', paths: ['a-008.tar', 'a-009.tar', 'a-010.tar'], why: 'the width is kept' },
  { pattern: 'a-{9..11}', paths: ['a-9', 'a-10', 'a-11'], why: 'no zeros, no width' },
  { pattern: '{0..1}/{0..1}', paths: ['0/0', '0/1', '1/0', '1/1'], why: 'two ranges, the last one fastest' },
  { pattern: '{a,b}', paths: ['{a,b}'], why: 'other braces are part of a name' },
];

for (const { pattern, paths, why } of cases) {
  test(`${pattern}: ${why}`, () => assert.deepEqual(expandBraces(pattern), paths));
}

test('a range that counts down, or is endless, is refused', () => {
  assert.throws(() => expandBraces('a-{3..1}.tar'), { code: 'DATA_URI', exitCode: 64 });
  assert.throws(() => expandBraces('a-{0..9999999}.tar'), { code: 'DATA_URI', message: /1000000 files/ });
});
