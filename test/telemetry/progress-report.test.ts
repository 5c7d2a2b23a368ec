import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { advanceReport, initialReport, type ReportState } from '../../trainer/telemetry/progress-report.ts';
import type { RunEvent } from '../../trainer/telemetry/run-event.ts';
import { progress as progressMessage } from './progress-message.ts';

const now = new Date('2026-01-02T03:04:05Z');
const after = (...events: readonly RunEvent[]): ReportState =>
  events.reduce((state, event) => advanceReport(state, event, now), initialReport('pretrain', now));
const atStep = (step: number): RunEvent => progressMessage({ step, epochEnd: false });
const resumed = (step: number): RunEvent => ({ type: 'phase', phase: 'Pretraining', step });
const restart: RunEvent = { type: 'restart', generation: 1, cause: 'peerLost', message: 'rank 1 was killed' };

describe('a report', () => {
  test('starts with nothing known', () => {
    assert.deepEqual(after().progress, {
      ...{ stage: 'pretrain', phase: 'Starting', generation: 0, updatedAt: '2026-01-02T03:04:05.000Z' },
      ...{ restarts: { peerLost: 0, hang: 0, failed: 0 }, lostSteps: 0 },
    });
  });

  test('counts restarts by cause, and the steps that are done again, each once', () => {
    const once = after({ type: 'generation', generation: 1, world: 2 }, resumed(0), atStep(17), restart);
    assert.equal(once.running, false);
    assert.equal(once.progress.phase, 'Starting');
    assert.equal(once.progress.detail, 'restarting: rank 1 was killed');
    const again = [resumed(10), atStep(18), restart, resumed(18), restart, resumed(18)].reduce(
      (state, event) => advanceReport(state, event, now),
      once,
    );
    assert.deepEqual(again.progress.restarts, { peerLost: 3, hang: 0, failed: 0 });
    assert.equal(again.progress.lostSteps, 7);
  });

  test('a restart before a step was seen loses none that is known', () => {
    assert.equal(after(restart, resumed(10)).progress.lostSteps, 0);
  });

  test('forgets how long the ranks of a former generation waited', () => {
    const waited = (rank: number, seconds: number): RunEvent => ({ type: 'wait', rank, seconds });
    const both = after({ type: 'generation', generation: 1, world: 4 }, waited(2, 1), waited(3, 5), waited(2, 1.5));
    assert.deepEqual(both.waits, { 2: 1.5, 3: 5 });
    assert.deepEqual(advanceReport(both, { type: 'generation', generation: 2, world: 4 }, now).waits, {});
  });

  test('keeps what is measured once an epoch, and says which epochs are done', () => {
    const { progress } = after(
      progressMessage({ epoch: 1, epochEnd: true, knnTop1: 41, effectiveRank: 7, outputStd: 0.02 }),
      progressMessage({ epoch: 2, epochEnd: false }),
    );
    assert.deepEqual([progress.pretrain?.epoch, progress.pretrain?.knnTop1], [2, 41]);
    assert.deepEqual([progress.pretrain?.effectiveRank, progress.pretrain?.outputStd], [7, 0.02]);
  });

  test('names the last checkpoint of each stage', () => {
    const { progress, checkpoints, checkpointAt } = after(
      atStep(5),
      { type: 'checkpoint', stage: 'pretrain', step: 5, uri: 'a' },
      { type: 'checkpoint', stage: 'linear', step: 2, uri: 'b' },
    );
    assert.deepEqual([progress.pretrain?.checkpoint, progress.linear], ['a', { epoch: 0, checkpoint: 'b' }]);
    assert.deepEqual([checkpoints, checkpointAt], [2, now.getTime() / 1000]);
  });

  test('adds up what images ranks could not decode, over their restarts', () => {
    const found = (rank: number, images: number): RunEvent => ({ type: 'unreadable', rank, images });
    assert.equal(after(found(0, 2), found(1, 1), restart, found(0, 2)).unreadableImages, 5);
  });

  test('has the best accuracy of linear evaluation, that of before a restart included', () => {
    const epoch = (top1: number, top5: number) => progressMessage({ stage: 'linear', epochEnd: true, top1, top5 });
    const { progress } = after(epoch(40, 80), epoch(60, 90), epoch(50, 95));
    assert.deepEqual([progress.linear?.top1, progress.linear?.top5], [60, 90]);
    const resumed = after(epoch(50, 95), {
      ...{ type: 'checkpoint', stage: 'linear', step: 2, uri: 'b' },
      best: { top1: 60, top5: 90 },
    });
    assert.deepEqual(resumed.progress.linear, { epoch: 1, top1: 60, top5: 90, checkpoint: 'b' });
  });

  test('has the collapse alarm while it stands', () => {
    const alarm = { type: 'warning', code: 'TRAINING_COLLAPSED', message: 'epoch 3: collapsed' } as const;
    assert.equal(after(alarm).progress.collapse, 'epoch 3: collapsed');
    assert.equal(after(alarm, { ...alarm, message: 'healthy again', cleared: true }).progress.collapse, undefined);
  });

  test('names a dozen missing workers at most', () => {
    const workers = Array.from({ length: 1_000 }, (_, index) => index);
    const { detail } = after({ type: 'waiting', workers }).progress;
    assert.equal(detail, 'waiting for workers 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 988 more');
  });
});
