import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JsonView } from '../../trainer/telemetry/json-view.ts';
import { progress } from './progress-message.ts';

function record(): { view: JsonView; lines: () => Record<string, unknown>[]; clock: { now: number } } {
  const written: string[] = [];
  const clock = { now: 0 };
  const view = new JsonView({ write: (line) => written.push(line) }, () => clock.now);
  return { view, clock, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('a line has time, level, event and the fields of the message', () => {
  const { view, lines } = record();
  view.onEvent({ type: 'warning', rank: 1, code: 'DATA_BAD_IMAGE', message: '3 images were replaced' });
  view.onEvent({ type: 'checkpoint', stage: 'pretrain', step: 40, uri: 'runs/a' });
  assert.deepEqual(lines(), [
    {
      level: 'warn',
      time: '1970-01-01T00:00:00.000Z',
      event: 'warning',
      rank: 1,
      code: 'DATA_BAD_IMAGE',
      message: '3 images were replaced',
    },
    {
      level: 'info',
      time: '1970-01-01T00:00:00.000Z',
      event: 'checkpoint',
      stage: 'pretrain',
      step: 40,
      uri: 'runs/a',
    },
  ]);
});

test('progress: the first of a stage, each end of an epoch, and one in 30 s', () => {
  const { view, lines, clock } = record();
  for (let step = 1; step <= 100; step += 1) {
    clock.now = step * 1000;
    view.onEvent(progress({ step, epochEnd: step === 50 }));
  }
  view.onEvent(progress({ stage: 'linear', step: 1 }));
  assert.deepEqual(
    lines().map(({ stage, step }) => [stage, step]),
    [
      ['pretrain', 1],
      ['pretrain', 31],
      ['pretrain', 50],
      ['pretrain', 80],
      ['linear', 1],
    ],
  );
});
