import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergePatchOf } from '../../../operator/controller/merge-patch.ts';
import { parseProgress, parseTerminationMessage } from '../../../operator/progress/progress-schema.ts';
import { holdProgress } from '../../../operator/reconcile/hold-progress.ts';
import { latestReport, mergeProgress } from '../../../operator/reconcile/merge-progress.ts';
import { runOf } from '../fixtures.ts';
import { podOf, progressOf } from './builders.ts';

const run = runOf();

describe('progress', () => {
  it('is kept to four significant digits, and older figures stay', () => {
    const merged = mergeProgress({ pretrain: { knnTop1: 40, loss: -0.1 } }, progressOf());
    assert.deepEqual(merged, {
      pretrain: { knnTop1: 40, loss: -0.8765, outputStd: 0.02, epoch: 1.235, step: 100, generation: 1 },
    });
  });

  it('of a worker that was replaced counts no more', () => {
    const report = { podUid: 'old', progress: progressOf() };
    const pods = [podOf(run, { uid: 'old', exit: { code: 70 } }), podOf(run, { uid: 'new', created: 5 })];
    assert.equal(latestReport(pods, 'pretrain', report), undefined);
    assert.equal(latestReport(pods, 'pretrain', { ...report, podUid: 'new' })?.podUid, 'new');
  });

  it('in the termination message is the last word', () => {
    const message = JSON.stringify({ progress: progressOf({ generation: 3 }) });
    const pods = [podOf(run, { uid: 'a', exit: { code: 0, message } })];
    assert.equal(latestReport(pods, 'pretrain', { podUid: 'a', progress: progressOf() })?.progress.generation, 3);
  });

  it('is written after its time only, all else at once', () => {
    const before = { phase: 'Pretraining', lostSteps: 0, pretrain: { step: 1 } } as const;
    const more = { ...before, pretrain: { step: 2 } };
    assert.deepEqual(holdProgress(before, more, 100, 99), { status: before, wakeAt: 100 });
    assert.deepEqual(holdProgress(before, more, 100, 100), { status: more, wakeAt: undefined });
    const told = { ...more, counted: { worker: 'a', lostSteps: 3 } };
    assert.deepEqual(holdProgress(before, told, 100, 99), { status: before, wakeAt: 100 });
    const failed = { ...more, counted: { pods: ['a'] } };
    assert.deepEqual(holdProgress(before, failed, 100, 99), { status: failed, wakeAt: undefined });
    const other = { ...more, phase: 'Succeeded' } as const;
    assert.deepEqual(holdProgress(before, other, 100, 99), { status: other, wakeAt: undefined });
  });
});

describe('what a worker tells', () => {
  it('loses figures that are none, so that the status stays valid', () => {
    const parsed = parseProgress({
      ...progressOf(),
      linear: { epoch: -1 },
      pretrain: { ...progressOf().pretrain, loss: 'low', outputStd: null },
    });
    assert.equal(parsed?.pretrain?.loss, undefined);
    assert.equal(parsed?.pretrain?.outputStd, undefined);
    assert.equal(parsed?.linear, undefined);
    assert.equal(parsed?.pretrain?.step, 100);
  });
  it('is nothing if it is no progress', () => {
    for (const value of [undefined, null, 7, 'x', {}, { stage: 'other' }])
      assert.equal(parseProgress(value), undefined);
  });
  it('at its end may be the end of its log', () => {
    assert.deepEqual(parseTerminationMessage('a\nKilled\n'), { message: 'Killed' });
    assert.deepEqual(parseTerminationMessage(undefined), {});
    assert.deepEqual(parseTerminationMessage('{"code":"X","message":"y"}'), { code: 'X', message: 'y' });
  });
});

describe('a merge patch', () => {
  it('has what differs, and null for what is gone', () => {
    assert.deepEqual(mergePatchOf({ a: 1, b: { c: 2, d: 3 }, e: [1] }, { a: 1, b: { c: 4 }, e: [1, 2] }), {
      b: { c: 4, d: null },
      e: [1, 2],
    });
    assert.equal(mergePatchOf({ a: { b: [1] } }, { a: { b: [1] } }), undefined);
  });
});
