import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';

import { MetricsPortError } from '../../trainer/telemetry/errors.ts';
import { TelemetryServer } from '../../trainer/telemetry/http-server.ts';
import { advanceReport, initialReport } from '../../trainer/telemetry/progress-report.ts';
import { progress as progressMessage } from './progress-message.ts';

const now = new Date('2026-01-02T03:04:05Z');
const host = '127.0.0.1';

describe('the HTTP server of a launcher', () => {
  let report = initialReport('pretrain', now);
  let server: TelemetryServer;
  before(async () => {
    const gpuMemory = async () => [{ gpu: '0', usedBytes: 1_048_576 }];
    server = await TelemetryServer.listen({ host, port: 0, report: () => report, gpuMemory });
  });
  after(() => server.close());

  const get = async (path: string, method = 'GET'): Promise<Response> =>
    await fetch(`http://${host}:${server.port}${path}`, { method });
  const metrics = async (): Promise<string[]> =>
    (await (await get('/metrics')).text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  test('healthy from the start, ready while ranks run', async () => {
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/readyz')).status, 503);
    report = advanceReport(report, { type: 'generation', generation: 1, world: 4 }, now);
    assert.equal((await get('/readyz?verbose')).status, 200);
  });

  test('/progress is the report as JSON', async () => {
    const response = await get('/progress');
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.deepEqual(await response.json(), report.progress);
  });

  test('/curve has loss and std of the steps so far', async () => {
    const steps = [1, 2].map((step) => progressMessage({ step, loss: -step / 10, outputStd: 0.01, epochEnd: false }));
    const after = steps.reduce((state, event) => advanceReport(state, event, now), report);
    const before = report;
    report = after;
    assert.deepEqual(await (await get('/curve')).json(), [
      { step: 1, loss: -0.1, outputStd: 0.01 },
      { step: 2, loss: -0.2, outputStd: 0.01 },
    ]);
    report = before;
  });

  test('other paths and methods are refused', async () => {
    assert.equal((await get('/../etc/passwd')).status, 404);
    assert.equal((await get('/progress', 'POST')).status, 405);
    const head = await get('/healthz', 'HEAD');
    assert.deepEqual([head.status, await head.text()], [200, '']);
  });

  test('/metrics has what is known, and only that', async () => {
    const before = await metrics();
    assert.ok(before.includes('simsiam_generation 1'));
    assert.ok(before.includes('simsiam_gpu_memory_used_bytes{gpu="0"} 1048576'));
    assert.ok(!before.some((line) => line.startsWith('simsiam_loss')));
    const seconds = { data: 1, step: 2, evaluation: 3, checkpoint: 4 };
    report = [
      progressMessage({ stage: 'pretrain', loss: -0.5, knnTop1: 40, seconds }),
      { type: 'wait', rank: 3, seconds: 1.5 } as const,
      { type: 'restart', generation: 1, cause: 'hang', message: 'no step' } as const,
      { type: 'checkpoint', stage: 'pretrain', step: 5, uri: 'a' } as const,
    ].reduce((state, event) => advanceReport(state, event, now), report);
    const lines = await metrics();
    for (const line of [
      'simsiam_loss{stage="pretrain"} -0.5',
      'simsiam_knn_top1_percent{stage="pretrain"} 40',
      'simsiam_step_seconds_total{part="evaluation"} 3',
      'simsiam_collective_wait_seconds_total{rank="3"} 1.5',
      'simsiam_restarts_total{cause="hang"} 1',
      'simsiam_restarts_total{cause="peerLost"} 0',
      'simsiam_checkpoints_total 1',
      `simsiam_last_checkpoint_timestamp_seconds ${now.getTime() / 1000}`,
      'simsiam_running 0',
    ])
      assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
  });

  test('every name has the prefix, and counters do not grow by being read', async () => {
    const lines = await metrics();
    assert.ok(lines.every((line) => line.startsWith('simsiam_')));
    assert.deepEqual(await metrics(), lines);
  });

  test('a taken port is an error that names it', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, host, resolve));
    const { port } = taken.address() as AddressInfo;
    await assert.rejects(TelemetryServer.listen({ host, port, report: () => report }), (error: unknown) => {
      assert.ok(error instanceof MetricsPortError);
      assert.match(error.message, new RegExp(`${port} .*EADDRINUSE`));
      return true;
    });
    taken.close();
  });
});
