import type { Registry } from 'prom-client';

import { OperatorMetrics } from '../../operator/metrics/metrics.ts';
import { initialReport } from '../../trainer/telemetry/progress-report.ts';
import { trainerMetrics } from '../../trainer/telemetry/metrics.ts';

/** docs/metrics-operator.md: what the operator serves at `/metrics`. */
export function operatorMetricsMarkdown(): string {
  const metrics = new OperatorMetrics();
  metrics.read({ queueDepth: () => 0, longestTurnMs: () => 0, isLeader: () => false, phases: () => [] });
  return [
    '<!-- Generated from operator/metrics/metrics.ts by `npm run gen`. Do not edit. -->',
    '# Metrics of the operator',
    'Each replica serves them at `:8080/metrics` (`--http-port`), beside `/healthz` and `/readyz`. Labels take few values, ' +
      'which are known before: no run and no pod has a series of its own. Beside these are those of the process ' +
      '(`process_*`, `nodejs_*`): processor time, memory, open files, event loop and garbage collection.',
    metricsTable(metrics.registry),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** docs/metrics-trainer.md: what a launcher serves at `/metrics`. */
export function trainerMetricsMarkdown(): string {
  return [
    '<!-- Generated from trainer/telemetry/metrics.ts by `npm run gen`. Do not edit. -->',
    '# Metrics of the trainer',
    'The launcher of a pod serves them at `:8080/metrics`, and `simsiam run --metrics-port <port>` where it says. Worker 0 ' +
      'has all of them; the other workers know of no steps, and serve what is left and what their own ranks tell. Beside them are `/healthz`, `/readyz` ' +
      '(200 while ranks run), `/progress` and `/curve` ([api/worker.ts](../api/worker.ts)).',
    'Labels take few values, which are known before: the stages, the parts of a step, the causes of a restart, and the ' +
      "machine's ranks and GPUs. Accuracies are in percent, all else in base units.",
    metricsTable(trainerMetrics({ report: () => initialReport('pretrain', new Date(0)) })),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** A row a metric, by name. */
export function metricsTable(registry: Registry): string {
  // The types leave labels out, which every metric has.
  type Metric = { name: string; help: string; type: string; labelNames: readonly string[] };
  const metrics = registry.getMetricsAsArray() as unknown as Metric[];
  const rows = metrics
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, type, labelNames, help }) => [
      `\`${name}\``,
      type,
      labelNames.map((label) => `\`${label}\``).join(', '),
      help,
    ]);
  return table([['name', 'type', 'labels', 'meaning'], ...rows]);
}

/** As Prettier writes tables. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const [head, ...body] = rows;
  return [line(head!), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
