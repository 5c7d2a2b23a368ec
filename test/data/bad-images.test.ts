import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allowedBadImages } from '../../trainer/data/bad-images.ts';
import { CounterRandom } from '../../trainer/random.ts';

test('who reads the whole set is held to the fraction of it', () => {
  for (const [size, fraction, allowed] of [
    [4000, 0.01, 40],
    [64, 0.01, 0],
    [100, 0.01, 1],
    [100, 1, 100],
  ] as const)
    assert.equal(allowedBadImages(size, size, fraction), allowed);
});

test('a fraction of 0 allows none, however small the share', () => {
  for (const responsible of [1, 62, 4000]) assert.equal(allowedBadImages(responsible, 4000, 0), 0);
});

test('one bad image of a small share is allowed where the whole set may have one, and only there', () => {
  for (const responsible of [1, 4, 62]) assert.ok(allowedBadImages(responsible, 4000, 0.01) >= 1);
  assert.equal(allowedBadImages(1, 100, 0.01), 1);
  assert.equal(allowedBadImages(32, 64, 0.01), 0);
});

/** Bad images of each rank's share, in a set that has so many, mixed by the seed. */
function sharesOf(size: number, bad: number, world: number, seed: number): number[] {
  const counts = Array<number>(world).fill(0);
  for (const place of new CounterRandom(seed).permutation(size).slice(0, bad))
    counts[Math.floor((place * world) / size)]! += 1;
  return counts;
}

test('no rank refuses a set at its limit, and some rank one with the double, as far as shares are large enough', () => {
  for (const [size, world] of [
    [4000, 64],
    [4000, 8],
    [100_000, 16],
    [640, 64],
  ] as const) {
    const allowed = allowedBadImages(Math.floor(size / world), size, 0.01);
    for (let seed = 0; seed < 50; seed++) {
      const most = Math.max(...sharesOf(size, size * 0.01, world, seed));
      assert.ok(
        most <= allowed,
        `${most} of ${size / world} with ${world} ranks, seed ${seed}; ${allowed} are allowed`,
      );
    }
  }
  for (let seed = 0; seed < 50; seed++)
    assert.ok(Math.max(...sharesOf(100_000, 2000, 16, seed)) > allowedBadImages(6250, 100_000, 0.01));
});
