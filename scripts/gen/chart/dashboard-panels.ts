export interface PanelSpec {
  readonly title: string;
  /** What it shows and what to look for. */
  readonly description: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  /** PromQL and the legend. */
  readonly queries: readonly (readonly [expr: string, legend: string])[];
  readonly stacked?: boolean;
  readonly min?: number;
}

const chosen = 'namespace=~"$namespace",run=~"$run"';
const legend = '{{namespace}}/{{run}}';

/** The newest value of a metric of worker 0, a line a run. */
function ofRun(metric: string, stage?: 'pretrain' | 'linear'): readonly [string, string] {
  const selector = stage === undefined ? chosen : `${chosen},stage="${stage}"`;
  return [`max by (namespace, run) (simsiam_${metric}{${selector}})`, legend];
}

const training: readonly PanelSpec[] = [
  {
    title: 'Loss',
    description: 'From 1 down to −1. A loss of −1 within an epoch is a collapse, not success.',
    unit: 'none',
    queries: [ofRun('loss', 'pretrain')],
  },
  {
    title: 'Output std',
    description: 'Healthy near 1/√dim; near 0 the representation has collapsed.',
    unit: 'none',
    queries: [ofRun('output_std', 'pretrain')],
    min: 0,
  },
  {
    title: 'Effective rank',
    description: 'Dimensions that the embeddings really use.',
    unit: 'none',
    queries: [ofRun('effective_rank', 'pretrain')],
    min: 0,
  },
  {
    title: 'kNN top-1',
    description: 'Accuracy of the kNN monitor on the validation images.',
    unit: 'percent',
    queries: [ofRun('knn_top1_percent', 'pretrain')],
  },
  {
    title: 'Linear top-1',
    description: 'Accuracy of linear evaluation on the validation images.',
    unit: 'percent',
    queries: [ofRun('top1_percent', 'linear')],
  },
  {
    title: 'Progress',
    description: 'Part of the steps of each stage that is done.',
    unit: 'percentunit',
    queries: [
      [
        `max by (namespace, run, stage) (simsiam_step{${chosen}}) / max by (namespace, run, stage) (simsiam_steps{${chosen}})`,
        `${legend} {{stage}}`,
      ],
    ],
    min: 0,
  },
];

const speed: readonly PanelSpec[] = [
  {
    title: 'Images a second',
    description: 'Over all ranks.',
    unit: 'none',
    queries: [ofRun('samples_per_second', 'pretrain')],
    min: 0,
  },
  {
    title: 'Where the time goes',
    description: "Rank 0's time by part. Much of it in `data` means that the loader is too slow.",
    unit: 'percentunit',
    queries: [
      [
        `sum by (part) (rate(simsiam_step_seconds_total{${chosen}}[5m])) / scalar(sum(rate(simsiam_step_seconds_total{${chosen}}[5m])))`,
        '{{part}}',
      ],
    ],
    stacked: true,
    min: 0,
  },
  {
    title: 'GPU memory',
    description: 'Used memory; empty on machines without GPUs.',
    unit: 'bytes',
    queries: [[`simsiam_gpu_memory_used_bytes{${chosen}}`, `${legend} worker {{worker}} GPU {{gpu}}`]],
    min: 0,
  },
];

const reliability: readonly PanelSpec[] = [
  {
    title: 'Restarts',
    description: 'Generations of ranks that ended early, by cause.',
    unit: 'none',
    queries: [
      [`sum by (namespace, run, cause) (increase(simsiam_restarts_total{${chosen}}[15m]))`, `${legend} {{cause}}`],
    ],
    min: 0,
  },
  {
    title: 'Age of the last checkpoint',
    description: 'What a restart would repeat, at most.',
    unit: 's',
    queries: [[`time() - max by (namespace, run) (simsiam_last_checkpoint_timestamp_seconds{${chosen}} > 0)`, legend]],
    min: 0,
  },
  {
    title: 'Steps done again',
    description: 'Because of restarts.',
    unit: 'none',
    queries: [ofRun('lost_steps_total')],
    min: 0,
  },
  {
    title: 'Unreadable images',
    description: 'Images left out because they could not be decoded. Above data.maxBadImageFraction the run ends.',
    unit: 'none',
    queries: [[`sum by (namespace, run) (simsiam_unreadable_images_total{${chosen}})`, legend]],
    min: 0,
  },
  {
    title: 'Ranks run',
    description: '1 while ranks run, 0 while workers are awaited.',
    unit: 'none',
    queries: [ofRun('running')],
    min: 0,
  },
  {
    title: 'Collapse alarm',
    description: '1 while it stands.',
    unit: 'none',
    queries: [ofRun('collapsed')],
    min: 0,
  },
];

const operator: readonly PanelSpec[] = [
  {
    title: 'Runs',
    description: 'By phase.',
    unit: 'none',
    queries: [['max by (phase) (simsiam_operator_runs)', '{{phase}}']],
    stacked: true,
    min: 0,
  },
  {
    title: 'Failures of workers',
    description: 'By class, as status.restarts counts them.',
    unit: 'none',
    queries: [['sum by (class) (increase(simsiam_operator_worker_failures_total[15m]))', '{{class}}']],
    min: 0,
  },
  {
    title: 'Leader',
    description: '1 in the replica that leads: the sum must be 1.',
    unit: 'none',
    queries: [['sum(simsiam_operator_leader)', 'leaders']],
    min: 0,
  },
  {
    title: 'Time of a turn',
    description: "The API server's answers included.",
    unit: 's',
    queries: [0.5, 0.99].map((quantile) => [
      `histogram_quantile(${quantile}, sum by (le) (rate(simsiam_operator_reconcile_seconds_bucket[5m])))`,
      `p${quantile * 100}`,
    ]),
    min: 0,
  },
  {
    title: 'Queue',
    description: 'Runs that wait for their turn, and how long the 99th percentile waits.',
    unit: 'none',
    queries: [
      ['max(simsiam_operator_queue_depth)', 'runs'],
      ['histogram_quantile(0.99, sum by (le) (rate(simsiam_operator_queue_wait_seconds_bucket[5m])))', 'p99 seconds'],
    ],
    min: 0,
  },
  {
    title: 'Changes sent to the API server',
    description: 'A second, by outcome.',
    unit: 'ops',
    queries: [['sum by (outcome) (rate(simsiam_operator_writes_total[5m]))', '{{outcome}}']],
    min: 0,
  },
  {
    title: 'Turns that are repeated',
    description: 'A second: turns that failed and are tried again.',
    unit: 'ops',
    queries: [['sum(rate(simsiam_operator_retries_total[5m]))', 'retries']],
    min: 0,
  },
  {
    title: 'Watches that were broken off',
    description: 'A second, by why. Those that ended in good order are normal.',
    unit: 'ops',
    queries: [['sum by (reason) (rate(simsiam_operator_watch_restarts_total[5m]))', '{{reason}}']],
    min: 0,
  },
  {
    title: 'Questions to workers',
    description: 'A second: progress of runs, asked by the operator.',
    unit: 'ops',
    queries: [['sum by (outcome) (rate(simsiam_operator_scrapes_total[5m]))', '{{outcome}}']],
    min: 0,
  },
];

/** The dashboard, row by row. */
export const dashboardRows: readonly { readonly title: string; readonly panels: readonly PanelSpec[] }[] = [
  { title: 'Training', panels: training },
  { title: 'Speed', panels: speed },
  { title: 'Reliability', panels: reliability },
  { title: 'Operator', panels: operator },
];
