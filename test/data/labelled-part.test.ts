import assert from 'node:assert/strict';
import { test } from 'node:test';

import { labelledPart } from '../../trainer/data/labelled-part.ts';

/** 30 of class 0, 20 of class 1, 1 of class 2 and none of class 3. */
const labels = [...Array<number>(30).fill(0), ...Array<number>(20).fill(1), 2];
const set = { size: labels.length, classes: ['a', 'b', 'c', 'd'], label: (index: number) => labels[index]! };

function counts(part: Int32Array): number[] {
  return set.classes.map((_, number) => part.filter((index) => labels[index] === number).length);
}

test('a part has the same fraction of each class, at least one image, and holds the smaller parts', () => {
  const tenth = labelledPart(set, 0.1, 7);
  assert.deepEqual(counts(tenth), [3, 2, 1, 0]);
  assert.deepEqual(counts(labelledPart(set, 0.01, 7)), [1, 1, 1, 0]);
  const half = labelledPart(set, 0.5, 7);
  assert.deepEqual(counts(half), [15, 10, 1, 0]);
  assert.ok(tenth.every((index) => half.includes(index)));
  assert.deepEqual(half, half.toSorted());
  assert.deepEqual(labelledPart(set, 1, 7), Int32Array.from(labels.keys()));
  assert.notDeepEqual(labelledPart(set, 0.5, 8), half);
});
