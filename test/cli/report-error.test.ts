import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UsageError } from '../../cli/errors.ts';
import { describeError } from '../../cli/report-error.ts';
import { RankDiedError, RankFailedError } from '../../trainer/launch/errors.ts';

test('an error of ours: its message, its code, its exit code', () => {
  assert.deepEqual(describeError(new UsageError('no such flag')), {
    lines: ['error: no such flag [CLI_USAGE]\n'],
    exitCode: 64,
    stack: undefined,
  });
});

test('a code that the message ends with is not said twice', () => {
  const failure = {
    type: 'failure',
    code: 'TF_ABORTED',
    exitCode: 70,
    message: 'TensorFlow: gone [TF_ABORTED]',
  } as const;
  assert.deepEqual(describeError(new RankFailedError(failure, 'rank 1')).lines, [
    'error: rank 1: TensorFlow: gone [TF_ABORTED]\n',
  ]);
});

test('the last words of a rank stand below the line', () => {
  assert.deepEqual(describeError(new RankDiedError('rank 0 died', ['a', 'b'])).lines, [
    'error: rank 0 died [LAUNCH_RANK_DIED]\n',
    '  | a\n',
    '  | b\n',
  ]);
});

test('anything else is a defect, on one line, with its stack', () => {
  const report = describeError(new TypeError('x is\nnot a function'));
  assert.deepEqual(report.lines, ['error: unexpected: x is not a function [INTERNAL]\n']);
  assert.equal(report.exitCode, 70);
  assert.match(report.stack ?? '', /TypeError/);
  assert.deepEqual(describeError('just text').lines, ['error: unexpected: just text [INTERNAL]\n']);
});
