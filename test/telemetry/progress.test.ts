import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RunEvent } from '../../trainer/telemetry/run-event.ts';
import { phaseLine, stageLine } from '../../trainer/telemetry/progress-line.ts';
import type { ProgressState } from '../../trainer/telemetry/progress-state.ts';
import { advance, initialProgress } from '../../trainer/telemetry/progress-state.ts';
import { progress } from './progress-message.ts';

/** Each event comes ten seconds after the one before. */
function after(...events: RunEvent[]): ProgressState {
  return events.reduce((state, event, index) => advance(state, event, index * 10_000), initialProgress);
}

test('a first step has figures, but no pace to tell an ETA from', () => {
  const { stage } = after(progress({ step: 5, totalSteps: 20, outputStd: 0.0215 }));
  assert.equal(
    stageLine(stage!, 2048),
    'pretrain █████░░░░░░░░░░░░░░░ epoch 1/4 · loss -0.5000 · std 0.0215 (1/√d 0.0221) · 100 samples/s',
  );
});

test('figures that are not measured at each step stay in view', () => {
  const { stage } = after(
    progress({ step: 10, totalSteps: 20, epoch: 1, knnTop1: 93.06, effectiveRank: 87.2, outputStd: 0.02 }),
    progress({ step: 11, totalSteps: 20, epoch: 2, outputStd: 0.021 }),
  );
  const line = stageLine(stage!, 2048);
  assert.match(line, /epoch 3\/4 .* std 0\.0210 .* rank 87\.2 · kNN 93\.1 % /);
});

test('the ETA is by the pace of this process, not of the steps before a resume', () => {
  const { stage } = after(progress({ step: 1000, totalSteps: 1100 }), progress({ step: 1010, totalSteps: 1100 }));
  assert.equal(stage!.etaSeconds, 90);
  assert.match(stageLine(stage!, 2048), /ETA 1 min 30 s$/);
});

test('another stage starts its own pace and figures', () => {
  const { stage } = after(
    progress({ step: 20, totalSteps: 20, knnTop1: 90 }),
    { type: 'phase', phase: 'LinearEvaluation' },
    progress({ stage: 'linear', step: 1, totalSteps: 9, top1: 95.2, top5: 99.9 }),
    progress({ stage: 'linear', step: 2, totalSteps: 9 }),
  );
  const line = stageLine(stage!, 2048);
  assert.match(line, /^linear .* top-1 95\.2 % · top-5 99\.9 % · 100 samples\/s · ETA 1 min 10 s$/);
  assert.doesNotMatch(line, /kNN/);
});

test('phases', () => {
  assert.equal(phaseLine(initialProgress), 'starting');
  assert.equal(
    phaseLine(after({ type: 'phase', phase: 'Pretraining', detail: 'resumed at step 12' })),
    'pre-training: resumed at step 12',
  );
});

test('a stage that goes past its last step does not break the bar', () => {
  const { stage } = after(progress({ step: 25, totalSteps: 20 }));
  assert.match(stageLine(stage!, 2048), /^pretrain █{20} /);
});

test('a narrow terminal gets the short line', () => {
  const { stage } = after(
    progress({ step: 10, totalSteps: 20, outputStd: 0.0215, knnTop1: 93.06, effectiveRank: 87.2 }),
    progress({ step: 12, totalSteps: 20 }),
  );
  const line = stageLine(stage!, 2048, 90);
  assert.equal(line, 'pretrain 1/4 ETA 40 s loss -0.500 std 0.0215/0.0221 rank 87.2 kNN 93.1 % 100/s');
});
