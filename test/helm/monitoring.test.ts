import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { parse } from 'yaml';

import { HttpServer } from '../../operator/http-server.ts';
import { OperatorMetrics } from '../../operator/metrics/metrics.ts';
import { dashboardJson } from '../../scripts/gen/chart/dashboard.ts';
import { TelemetryServer } from '../../trainer/telemetry/http-server.ts';
import { advanceReport, initialReport } from '../../trainer/telemetry/progress-report.ts';
import type { ProgressMessage, RunEvent } from '../../trainer/telemetry/run-event.ts';
import { alerts, alertsFile } from './alerts.ts';
import { missingPrometheus, Prometheus } from './prometheus.ts';

const skip = missingPrometheus();
const casesFile = join(import.meta.dirname, '../../../test/helm/alerts.cases.yaml');

const queries = (JSON.parse(dashboardJson()) as { panels: { title: string; targets?: { expr: string }[] }[] }).panels
  .flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
  .map(({ title, expr }) => ({ title, expr: expr.replaceAll(/\$(namespace|run)\b/g, '.*') }));

describe('the alerts', { skip }, () => {
  test('promtool finds nothing wrong with them', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', alertsFile], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });

  test('fire when they should, and only then (test/helm/alerts.cases.yaml)', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', casesFile], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });

  test('each has a case in which it fires and one in which it does not', () => {
    type Cases = { tests: { alert_rule_test: { alertname: string; exp_alerts?: object[] }[] }[] };
    const cases = (parse(readFileSync(casesFile, 'utf8')) as Cases).tests.flatMap((each) => each.alert_rule_test);
    for (const { alert } of alerts) {
      const mine = cases.filter(({ alertname }) => alertname === alert);
      assert.ok(
        mine.some((each) => each.exp_alerts !== undefined),
        `${alert} fires in no case`,
      );
      assert.ok(
        mine.some((each) => each.exp_alerts === undefined),
        `${alert} fires in every case`,
      );
    }
  });
});

/** What a run of two stages tells, with all of its figures. */
function tellAll(step: number): RunEvent[] {
  const progress: ProgressMessage = {
    ...{ type: 'progress', stage: 'pretrain', epoch: 1, epochs: 10, step, totalSteps: 1000, loss: -0.5 },
    ...{ learningRate: 0.05, outputStd: 0.06, effectiveRank: 30, knnTop1: 80, samplesPerSecond: 100, epochEnd: true },
    seconds: { data: step / 100, step: step / 10, evaluation: 1, checkpoint: 1 },
  };
  return [
    { type: 'ranks', world: 2, device: 'gpu', threads: 1 },
    { type: 'generation', generation: step, world: 2 },
    progress,
    { ...progress, stage: 'linear', top1: 70, top5: 90 },
    { type: 'checkpoint', stage: 'pretrain', step, uri: 's3://r/birds/step' },
    { type: 'unreadable', images: 2, rank: 0 },
    ...[0, 1].map((rank) => ({ type: 'wait', rank, seconds: step }) as const),
    { type: 'restart', generation: step, cause: 'hang', message: 'no progress' },
    { type: 'phase', phase: 'Pretraining', step: step - 1 },
  ];
}

describe('a real Prometheus that scrapes what trainer and operator serve', { skip }, () => {
  let prometheus: Prometheus;
  const closers: (() => unknown)[] = [];

  before(async () => {
    let report = initialReport('pretrain', new Date());
    const trainer = await TelemetryServer.listen({
      ...{ host: '127.0.0.1', port: 0, report: () => report },
      gpuMemory: async () => [{ gpu: '0', usedBytes: 1e9 }],
    });
    const metrics = new OperatorMetrics();
    metrics.read({ queueDepth: () => 1, longestTurnMs: () => 5, isLeader: () => true, phases: () => ['Pretraining'] });
    const operator = await HttpServer.listen({
      ...{ port: 0, isReady: () => true, isWedged: () => false, metrics: metrics.registry },
    });
    let step = 10;
    const live = (): void => {
      step += 10;
      for (const event of tellAll(step)) report = advanceReport(report, event, new Date());
      metrics.queue.added();
      metrics.queue.retried();
      metrics.queue.started(3);
      metrics.queue.finished(7);
      metrics.watchInterrupted('Job', 'ended');
      metrics.scraped(true);
      metrics.wrote('create', 'Job', 'ok');
      metrics.statusWritten({ restarts: { hang: step } }, { restarts: { hang: step + 1, total: step + 1 } });
    };
    live();
    const timer = setInterval(live, 300);
    closers.push(
      () => clearInterval(timer),
      () => trainer.close(),
      () => operator.close(),
    );
    prometheus = await Prometheus.start(
      [
        { port: trainer.port, labels: { namespace: 'lab', run: 'birds', worker: '0', pod: 'birds-0' } },
        { port: operator.port, labels: { namespace: 'system' } },
      ],
      alertsFile,
    );
    closers.push(() => prometheus.stop());
    // Rates need some scrapes.
    await prometheus.until('increase(simsiam_operator_worker_failures_total[5m]) > 0');
    await prometheus.until('rate(simsiam_step_seconds_total{part="step"}[5m]) > 0');
  });
  after(async () => {
    for (const close of closers.toReversed()) await close();
  });

  for (const { title, expr } of queries)
    test(`the dashboard's query of ${title} has a result: ${expr}`, async () => {
      for (const { value } of await prometheus.until(expr))
        assert.ok(Number.isFinite(Number(value[1])), `it is ${value[1]}`);
    });

  test('it can evaluate each alert', async () => {
    const rules = await prometheus.rules();
    assert.deepEqual(new Set(rules.keys()), new Set(alerts.map(({ alert }) => alert)));
    for (const [alert, { health, lastError }] of rules) assert.equal(health, 'ok', `${alert}: ${lastError}`);
  });

  test('each metric that an alert names is there', async () => {
    const names = new Set(alerts.flatMap(({ expr }) => expr.match(/\bsimsiam_[a-z_]+/g) ?? []));
    assert.ok(names.size > 8);
    for (const name of names) await prometheus.until(name);
  });
});
