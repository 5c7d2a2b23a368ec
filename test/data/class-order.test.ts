import assert from 'node:assert/strict';
import { test } from 'node:test';

import { liesByClass } from '../../trainer/data/class-order.ts';
import { CounterRandom } from '../../trainer/random.ts';

/** Labels in the order of their classes, of which each has that many images. */
function sorted(sizes: readonly number[]): number[] {
  return sizes.flatMap((size, label) => Array<number>(size).fill(label));
}

function mixed(labels: readonly number[], seed: number): number[] {
  return Array.from(new CounterRandom(seed).permutation(labels.length), (place) => labels[place]!);
}

const equal = (classes: number, size: number): number[] => Array<number>(classes).fill(size);

test('sets in the order of their classes are told', () => {
  for (const sizes of [equal(10, 2000), equal(1000, 12), equal(2, 11), [20_000, 60], [5000, 3, 300, 40]])
    assert.ok(liesByClass(sorted(sizes)), String(sizes));
});

test('a class that is cut in two or comes twice does not hide the order', () => {
  const labels = sorted(equal(10, 500));
  assert.ok(liesByClass([...labels.slice(1234), ...labels.slice(0, 1234)]));
  assert.ok(liesByClass([...labels, ...labels, ...labels]));
});

test('mixed sets of any size are not, whatever the draw', () => {
  const sets = [
    [1, 1],
    [3, 2],
    equal(2, 40),
    equal(2, 110),
    equal(10, 12),
    equal(100, 20),
    [3000, 55],
    equal(10, 2000),
  ];
  for (const sizes of sets)
    for (let seed = 0; seed < 100; seed++)
      assert.ok(!liesByClass(mixed(sorted(sizes), seed)), `${sizes.length} classes, seed ${seed}`);
});

test('a few images, one class, no labels and small groups of a class are not', () => {
  for (const sizes of [[], [1], [2, 2], equal(10, 10), equal(1, 5000)])
    assert.ok(!liesByClass(sorted(sizes)), String(sizes));
  assert.ok(!liesByClass(Array<number>(5000).fill(-1)));
  const groups = mixed(sorted(equal(10, 100)), 1).flatMap((label) => Array<number>(5).fill(label));
  assert.ok(!liesByClass(groups));
});
