import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exitCode } from '../../api/exit-codes.ts';
import {
  applyCollapsePolicy,
  observeHealth,
  quietAlarm,
  type CollapseAlarm,
  type CollapseEvent,
} from '../../trainer/evaluate/collapse.ts';
import { requireFiniteLoss } from '../../trainer/evaluate/diverged.ts';
import { CollapseError, DivergedError } from '../../trainer/evaluate/errors.ts';

const dimension = 2048;
const limit = 2048;
const healthy = 1 / Math.sqrt(dimension);

/** An epoch: output std as a fraction of the healthy one, and the effective rank where it is measured. */
type Epoch = readonly [stdFraction: number, effectiveRank?: number];

function live(
  epochs: readonly Epoch[],
  start: CollapseAlarm = quietAlarm,
): { alarm: CollapseAlarm; events: CollapseEvent[] } {
  let alarm = start;
  const events: CollapseEvent[] = [];
  epochs.forEach(([fraction, effectiveRank], epoch) => {
    const rank = effectiveRank === undefined ? undefined : { effectiveRank, limit };
    const next = observeHealth(alarm, { epoch, outputStd: fraction * healthy, dimension, rank });
    alarm = next.alarm;
    if (next.event) events.push(next.event);
  });
  return { alarm, events };
}

const table: readonly { name: string; epochs: readonly Epoch[]; raised: CollapseAlarm['raised']; events: string[] }[] =
  [
    {
      name: 'healthy',
      epochs: [
        [0.9, 300],
        [0.98, 400],
        [0.99, 500],
      ],
      raised: null,
      events: [],
    },
    {
      name: 'one point',
      epochs: [
        [0.9, 300],
        [0.01, 300],
        [0.001, 300],
      ],
      raised: 'complete',
      events: ['raised'],
    },
    {
      name: 'as measured on digits, healthy',
      epochs: [
        [0.99, 120],
        [0.91, 68],
        [0.9, 45],
        [0.88, 42],
      ],
      raised: null,
      events: [],
    },
    {
      name: 'as measured on digits, without stop-gradient',
      epochs: [
        [0.85, 66],
        [0.5, 25],
        [0.4, 13],
        [0.31, 18],
        [0.33, 9],
        [0.24, 12],
      ],
      raised: 'complete',
      events: ['raised'],
    },
    { name: 'one bad epoch', epochs: [[0.9], [0.01], [0.9], [0.01], [0.9]], raised: null, events: [] },
    {
      name: 'one line, full std',
      epochs: [
        [1, 1.2],
        [1, 1.1],
        [1, 1.1],
      ],
      raised: 'dimensional',
      events: ['raised'],
    },
    {
      name: 'rank measured every other epoch',
      epochs: [[1, 3], [1], [1, 3]],
      raised: 'dimensional',
      events: ['raised'],
    },
    { name: 'rank never measured', epochs: [[1], [1], [1]], raised: null, events: [] },
    { name: 'a mended one', epochs: [[0.1], [0.1], [0.1], [0.9]], raised: null, events: ['raised', 'cleared'] },
    {
      name: 'just above the limits',
      epochs: [
        [0.51, 21],
        [0.51, 21],
        [0.51, 21],
      ],
      raised: null,
      events: [],
    },
    {
      name: 'from few dimensions to one point',
      epochs: [
        [1, 2],
        [1, 2],
        [0, 2],
        [0, 2],
      ],
      raised: 'complete',
      events: ['raised', 'raised'],
    },
  ];

for (const { name, epochs, raised, events } of table) {
  test(`collapse alarm: ${name}`, () => {
    const end = live(epochs);
    assert.equal(end.alarm.raised, raised);
    assert.deepEqual(
      end.events.map(({ kind }) => kind),
      events,
    );
  });
}

test('in a small space the rank must reach 2, not a hundredth of the dimensions', () => {
  const observe = (effectiveRank: number) => {
    const seen = { epoch: 0, outputStd: 1, dimension: 16, rank: { effectiveRank, limit: 16 } };
    return observeHealth(observeHealth(quietAlarm, seen).alarm, seen).alarm.raised;
  };
  assert.equal(observe(1.5), 'dimensional');
  assert.equal(observe(2.5), null);
});

test('an alarm that went through a checkpoint rings at the same epoch', () => {
  const epochs: Epoch[] = [[0.9], [0.1], [0.1], [0.9], [1, 1], [1, 1]];
  const whole = live(epochs);
  for (let cut = 0; cut <= epochs.length; cut++) {
    const before = live(epochs.slice(0, cut));
    const after = live(epochs.slice(cut), JSON.parse(JSON.stringify(before.alarm)) as CollapseAlarm);
    assert.deepEqual(after.alarm, whole.alarm);
    assert.equal(before.events.length + after.events.length, whole.events.length);
  }
});

test('the message gives the figures, what healthy is, and what to try, in one line', () => {
  const [event] = live([
    [0.01, 1.5],
    [0.01, 1.5],
  ]).events;
  assert.match(
    event!.message,
    /^epoch 1: .*output std 0\.000221, healthy 0\.0221; effective rank 1\.5 of 2048.*stopGradient/,
  );
  assert.ok(!event!.message.includes('\n'));
});

test('the policy warns or fails, and a mended run only says so', () => {
  const [raised, cleared] = live([[0], [0], [1]]).events;
  assert.equal(applyCollapsePolicy(raised!, 'Warn'), raised!.message);
  assert.throws(
    () => applyCollapsePolicy(raised!, 'Fail'),
    (error: unknown) => error instanceof CollapseError && error.exitCode === exitCode.collapse,
  );
  assert.equal(applyCollapsePolicy(cleared!, 'Fail'), cleared!.message);
  assert.equal(applyCollapsePolicy(null, 'Fail'), null);
});

test('a loss that is no number ends the run with the exit code of a collapse and names the place', () => {
  const place = { stage: 'pretrain', epoch: 3, step: 17 };
  requireFiniteLoss(-0.93, place);
  for (const loss of [NaN, Infinity, -Infinity]) {
    assert.throws(
      () => requireFiniteLoss(loss, place),
      (error: unknown) =>
        error instanceof DivergedError &&
        error.exitCode === exitCode.collapse &&
        /epoch 3, step 17.*pretrain\.learningRate/.test(error.message),
    );
  }
});
