import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CounterRandom } from '../../trainer/random.ts';
import { mapOf } from '../../trainer/report/source/embedding-map.ts';
import { neighboursOf, sameClassPercent } from '../../trainer/report/source/neighbours.ts';

describe('neighbours of a sample', () => {
  test('by cosine similarity, nearest first, equal ones in their order, itself left out', () => {
    // The length of a vector doesn't count; the zero vector is like nothing.
    const features = Float32Array.of(1, 0, 10, 1, 0, 2, 0, 0, 3, 0);
    const { indices, similarities } = neighboursOf({ features, dimension: 2, names: ['a', 'b', 'c', 'd', 'e'] }, 2);
    assert.deepEqual(indices, [
      [4, 1],
      [0, 4],
      [1, 0],
      [0, 1],
      [0, 1],
    ]);
    assert.equal(similarities[0]![0], 1);
    assert.ok(Math.abs(similarities[0]![1]! - 10 / Math.sqrt(101)) < 1e-6);
  });

  test('how many are of the same class, of those that have one', () => {
    const neighbours = { indices: [[1], [0], [0], []], similarities: [[1], [1], [1], []] };
    assert.equal(sameClassPercent(Int32Array.of(0, 0, 1, 1), neighbours), 200 / 3);
    assert.equal(sameClassPercent(Int32Array.of(0, -1, 1, 1), neighbours), 0);
    assert.equal(sameClassPercent(Int32Array.of(-1, -1, -1, -1), neighbours), undefined);
  });
});

describe('the map', () => {
  /** Two groups of images that are alike within and not across. */
  const [n, dimension] = [40, 6];
  const features = new Float32Array(n * dimension);
  new CounterRandom(3).fillNormal(features, 0.2);
  for (let i = 0; i < n; i++) features[i * dimension + (i % 2)]! += 1;
  const names = Array.from({ length: n }, (_, i) => String(i));
  const neighbours = neighboursOf({ features, dimension, names }, 15);

  test('keeps groups together, and is the same each time', () => {
    const places = mapOf(neighbours)!;
    assert.deepEqual(mapOf(neighbours), places);
    const middle = (group: number): { x: number; y: number } => {
      const own = places.filter((_, i) => i % 2 === group);
      return {
        x: own.reduce((sum, { x }) => sum + x, 0) / own.length,
        y: own.reduce((sum, { y }) => sum + y, 0) / own.length,
      };
    };
    const middles = [middle(0), middle(1)];
    const inOwn = places.filter((place, i) => {
      const [own, other] = [0, 1].map((step) => {
        const { x, y } = middles[(i + step) % 2]!;
        return Math.hypot(place.x - x, place.y - y);
      });
      return own! < other!;
    });
    assert.equal(inOwn.length, n);
  });

  test('of a few images there is none', () => {
    assert.equal(
      mapOf(neighboursOf({ features: features.slice(0, 7 * dimension), dimension, names: names.slice(0, 7) }, 15)),
      undefined,
    );
    assert.equal(
      mapOf(neighboursOf({ features: features.slice(0, 9 * dimension), dimension, names: names.slice(0, 9) }, 15))!
        .length,
      9,
    );
  });
});
