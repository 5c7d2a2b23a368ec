import assert from 'node:assert/strict';
import { test } from 'node:test';
import { performanceReport } from '../../bench/performance-report.ts';

test('the report compares with the layout that was the faster one and shows the spread', () => {
  const report = performanceReport({
    machine: {
      cpu: 'Example CPU',
      cores: 2,
      node: '20.19.0',
      measuredAt: '2026-01-02T03:04:05.000Z',
      load: 0.04,
      versions: { TensorFlow: '2.20.0', torch: '2.13.0' },
    },
    steps: [
      {
        arch: 'resnet18',
        batch: 16,
        imageSize: 128,
        threads: 2,
        rounds: 7,
        milliseconds: { simsiam: 400, pytorch: { contiguous: 500, channels_last: 440 } },
        samplesPerSecond: { simsiam: 40, pytorch: 36.4 },
        against: 'channels_last',
        ratio: { median: 1.1, quartiles: [1.05, 1.2] },
      },
    ],
  });
  assert.match(report, /Example CPU, 2 cores; .*TensorFlow 2\.20\.0, torch 2\.13\.0\n.*2 threads and 7 rounds/s);
  assert.match(
    report,
    /\| resnet18, 16 × 128 px \| 40\.0 \| 36\.4 \| 1\.10× \(1\.05–1\.20\) \| 400 \| 500 \/ 440 \| channels last \|/,
  );
});
