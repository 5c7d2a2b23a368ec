import assert from 'node:assert/strict';
import { test } from 'node:test';
import { performanceReport } from '../../bench/performance-report.ts';

test('the report compares with the way that was the fastest and shows the spread', () => {
  const report = performanceReport([
    {
      machine: {
        cpu: 'Example CPU',
        vectors: 'AVX2',
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
          precision: 'bf16',
          peers: 'fp32',
          threads: 2,
          rounds: 7,
          pilot: {
            'contiguous eager': 500,
            'channels_last eager': 440,
            'contiguous compile': 480,
            'channels_last compile': 430,
          },
          against: 'channels_last compile',
          milliseconds: { simsiam: 400, pytorch: 440 },
          cpuMilliseconds: { simsiam: 790, pytorch: 870 },
          samplesPerSecond: { simsiam: 40, pytorch: 36.4 },
          ratio: { median: 1.1, quartiles: [1.05, 1.2] },
          peakMemory: { simsiam: 900, pytorch: 1000 },
          gigaflops: { step: 150, peak: 300 },
          share: { median: 0.5, quartiles: [0.49, 0.52] },
        },
      ],
    },
  ]);
  assert.match(
    report,
    /## Example CPU with AVX2\n\n- Example CPU with AVX2, 2 cores; .*TensorFlow 2\.20\.0, torch 2\.13\.0\n.*2 threads and 7 rounds/s,
  );
  const step = 'resnet18, 16 × 128 px, bf16';
  for (const cells of [
    '40.0 | 36.4 | 1.10 (1.05–1.20)× | 400 / 440 | 790 / 870 | channels last, compiled, fp32',
    '500 | 440 | 480 | 430',
    '150 | 300 | 0.50 (0.49–0.52) | 900 | 1000 | 0.90',
  ]) {
    assert.ok(report.includes(`| ${step} | ${cells} |`), cells);
  }
});
