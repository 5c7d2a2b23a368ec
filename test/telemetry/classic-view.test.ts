import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ClassicView } from '../../trainer/telemetry/classic-view.ts';
import type { ProgressMessage, RunEvent } from '../../trainer/telemetry/run-event.ts';
import { progress } from './progress-message.ts';

function shown(printFreq: number, events: readonly RunEvent[]): string[] {
  let text = '';
  const view = new ClassicView({ write: (part: string) => void (text += part) }, printFreq);
  for (const event of events) view.onEvent(event);
  return text.split('\n').slice(0, -1);
}

const seconds = (data: number, step: number): NonNullable<ProgressMessage['seconds']> => ({
  ...{ data, step },
  ...{ evaluation: 7, checkpoint: 9 },
});

test('pre-training: a line each printFreq batches, the value of the batch and the mean of the epoch', () => {
  const at = (step: number, loss: number, data: number, whole: number): RunEvent =>
    progress({
      stage: 'pretrain',
      epoch: Math.floor((step - 1) / 12),
      step,
      loss,
      seconds: seconds(data, whole - data),
    });
  const lines = shown(2, [
    { type: 'phase', phase: 'Pretraining', stepsPerEpoch: 12, step: 8, detail: 'resumed at step 8' },
    at(9, -0.1, 0.5, 2),
    at(10, -0.2, 0.5, 3),
    at(11, -0.3, 0.75, 3.5),
    at(13, -0.5, 1, 4.5),
    { type: 'warning', code: 'W', message: 'look' },
  ]);
  assert.deepEqual(lines, [
    '=> resumed at step 8',
    'Epoch: [0][ 8/12]\tTime  2.000 ( 2.000)\tData  0.500 ( 0.500)\tLoss -0.1000 (-0.1000)',
    'Epoch: [0][10/12]\tTime  0.500 ( 1.167)\tData  0.250 ( 0.250)\tLoss -0.3000 (-0.2000)',
    'Epoch: [1][ 0/12]\tTime  1.000 ( 1.000)\tData  0.250 ( 0.250)\tLoss -0.5000 (-0.5000)',
    'warning: look [W]',
  ]);
});

test('linear evaluation: accuracies of the batch, and of the validation images after the epoch', () => {
  const step = { stage: 'linear', epoch: 3, step: 31, loss: 6.9073, trainTop1: 12.5, trainTop5: 50 } as const;
  const lines = shown(2, [
    { type: 'phase', phase: 'LinearEvaluation', stepsPerEpoch: 10 },
    progress({ ...step, seconds: seconds(0.004, 0.1) }),
    ...[0, 1, 2].map((batch) => ({
      ...{ type: 'validation' as const, batch, batches: 3, loss: 2 + batch, top1: 25 * batch, top5: 100, seconds: 0.5 },
    })),
    progress({ stage: 'linear', epoch: 3, step: 40, top1: 41.2346, top5: 90, epochEnd: true }),
  ]);
  const batch = [
    ...['Epoch: [3][ 0/10]', 'Time  0.104 ( 0.104)', 'Data  0.004 ( 0.004)', 'Loss 6.9073e+00 (6.9073e+00)'],
    ...['Acc@1  12.50 ( 12.50)', 'Acc@5  50.00 ( 50.00)'],
  ];
  const tests = [
    'Test: [0/3]\tTime  0.500 ( 0.500)\tLoss 2.0000e+00 (2.0000e+00)\tAcc@1   0.00 (  0.00)\tAcc@5 100.00 (100.00)',
    'Test: [2/3]\tTime  0.500 ( 0.500)\tLoss 4.0000e+00 (3.0000e+00)\tAcc@1  50.00 ( 25.00)\tAcc@5 100.00 (100.00)',
  ];
  assert.deepEqual(lines, [batch.join('\t'), ...tests, ' * Acc@1 41.235 Acc@5 90.000']);
});
