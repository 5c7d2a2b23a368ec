import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { JsonObject } from '../../trainer/checkpoint/json.ts';
import { startsOf, withStart, type Start } from '../../trainer/checkpoint/starts.ts';

const at = '2026-01-01T00:00:00.000Z';
const state = (starts: readonly Start[], stopped: boolean): JsonObject => ({
  starts: starts.map((start) => ({ ...start })),
  stopped,
});

test('starts are remembered with how the one before ended, as far as anybody saw', () => {
  const first = withStart(undefined, { generation: 1, step: 0, at }, undefined);
  assert.deepEqual(first, [{ generation: 1, step: 0, at }]);
  const stopped = withStart(state(first, true), { generation: 2, step: 8, at }, undefined);
  assert.deepEqual(stopped[1], { generation: 2, step: 8, at, after: 'stopped' });
  const killed = withStart(state(stopped, false), { generation: 3, step: 16, at }, undefined);
  assert.deepEqual(killed[2], { generation: 3, step: 16, at, after: 'lost' });
  // Who outlived the ranks knows better than what they left.
  const seen = { cause: 'hang', message: 'x'.repeat(1000) } as const;
  const hung = withStart(state(killed, true), { generation: 4, step: 16, at }, seen);
  assert.deepEqual(hung.slice(0, 3), killed);
  assert.deepEqual(hung[3], { generation: 4, step: 16, at, after: 'hang', cause: 'x'.repeat(300) });
});

test('a state without starts, or with what are none, is read all the same', () => {
  assert.deepEqual(startsOf({}), []);
  const good = { generation: 2, step: 8, at, after: 'stopped' };
  assert.deepEqual(startsOf({ starts: [null, 7, 'x', { ...good, after: 'weather' }, { generation: 1 }, good] }), [
    good,
  ]);
  assert.deepEqual(withStart({ step: 8 }, { generation: 2, step: 8, at }, undefined), [
    { generation: 2, step: 8, at, after: 'lost' },
  ]);
});
