import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fc } from '../support/property.ts';

import { weightedVote } from '../../trainer/evaluate/knn-vote.ts';

test('near neighbours outvote a majority of far ones, and more so at a low temperature', () => {
  const neighbours = { similarities: [0.9, 0.5, 0.5, 0.5], labels: [2, 1, 1, 1] };
  assert.equal(weightedVote(neighbours, 3, 0.1), 2); // 1 against 3·exp(−4)
  assert.equal(weightedVote(neighbours, 3, 1), 1); // 1 against 3·exp(−0.4)
});

test('of classes with equal votes the lower one wins, whatever the order of the neighbours', () => {
  for (const labels of [
    [3, 1, 2],
    [2, 3, 1],
    [1, 2, 3],
  ]) {
    assert.equal(weightedVote({ similarities: [0.5, 0.5, 0.5], labels }, 4, 0.1), 1);
  }
});

test('a neighbour without a class has no vote', () => {
  assert.equal(weightedVote({ similarities: [0.9, 0.1], labels: [-1, 1] }, 2, 0.1), 1);
  assert.equal(weightedVote({ similarities: [0.9], labels: [-1] }, 2, 0.1), -1);
  assert.equal(weightedVote({ similarities: [], labels: [] }, 2, 0.1), -1);
});

test('a temperature at which exp(similarity / temperature) overflows still gives the nearest class', () => {
  assert.equal(weightedVote({ similarities: [0.99, 0.98], labels: [1, 0] }, 2, 1e-4), 1);
});

test('the winner does not depend on a shift of all similarities', () => {
  const neighbour = fc.record({ step: fc.integer({ min: -8, max: 8 }), label: fc.nat(4) });
  fc.assert(
    fc.property(
      fc.array(neighbour, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: -4, max: 4 }),
      (found, shift) => {
        const at = (offset: number) => found.map(({ step }) => (step + offset) / 16).sort((a, b) => b - a);
        const labels = found.map(({ label }) => label);
        assert.equal(
          weightedVote({ similarities: at(0), labels }, 5, 0.5),
          weightedVote({ similarities: at(shift), labels }, 5, 0.5),
        );
      },
    ),
  );
});
