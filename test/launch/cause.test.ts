import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { causeOf } from '../../trainer/launch/cause.ts';
import type { RankEnd } from '../../trainer/launch/rank-process.ts';

const end = (rank: number, signal: NodeJS.Signals | null, ...endedBy: NodeJS.Signals[]): RankEnd => ({
  ...{ rank, signal, endedBy, code: signal === null ? 1 : null, failure: undefined, output: [] },
});

describe('the cause of an end', () => {
  test('is not a rank that the launcher has ended, by either signal', () => {
    assert.equal(causeOf([end(0, 'SIGTERM', 'SIGTERM'), end(1, 'SIGKILL', 'SIGTERM', 'SIGKILL')]), undefined);
    assert.equal(causeOf([end(0, null, 'SIGTERM')]), undefined);
  });

  test('is a rank that was killed before the signal of its launcher came', () => {
    assert.equal(causeOf([end(0, 'SIGTERM', 'SIGTERM'), end(1, 'SIGKILL', 'SIGTERM')])?.rank, 1);
  });
});
