import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OutputTail } from '../../trainer/launch/output-tail.ts';

test('keeps the last lines, across chunks and split characters', () => {
  const tail = new OutputTail();
  const text = Buffer.from(Array.from({ length: 100 }, (_, i) => `line ${i} é`).join('\n'));
  for (let at = 0; at < text.length; at += 7) tail.write(text.subarray(at, at + 7));
  const lines = tail.lines();
  assert.equal(lines.length, 40);
  assert.equal(lines[0], 'line 60 é');
  assert.equal(lines.at(-1), 'line 99 é');
});

test('a line without end stays bounded', () => {
  const tail = new OutputTail();
  for (let i = 0; i < 1000; i += 1) tail.write(Buffer.alloc(1000, 'x'));
  assert.ok(tail.lines().join('').length <= 2000);
});
