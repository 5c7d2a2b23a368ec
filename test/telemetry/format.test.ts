import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatDuration, formatFigure, formatPercent } from '../../trainer/telemetry/format.ts';

for (const [seconds, expected] of [
  [-3, '0 s'],
  [0.4, '0 s'],
  [59.6, '1 min 00 s'],
  [65, '1 min 05 s'],
  [3599, '59 min 59 s'],
  [7620, '2 h 07 min'],
  [97_200, '1 d 03 h'],
] as const)
  test(`${seconds} s is ${expected}`, () => assert.equal(formatDuration(seconds), expected));

for (const [value, expected] of [
  [0, '0.00'],
  [0.02209, '0.0221'],
  [0.0000321, '3.21e-5'],
  [87.25, '87.3'],
  [812.4, '812'],
  [NaN, 'NaN'],
] as const)
  test(`${value} is shown as ${expected}`, () => assert.equal(formatFigure(value), expected));

test('percent', () => assert.equal(formatPercent(91.26), '91.3 %'));
