import { Counter, Gauge, Registry, type Metric } from 'prom-client';

import type { ReportState } from './progress-report.ts';
import { stepParts, type ProgressMessage } from './run-event.ts';

/** Memory of one of this machine's GPUs. */
export interface GpuMemory {
  /** As CUDA_VISIBLE_DEVICES calls it. */
  readonly gpu: string;
  readonly usedBytes: number;
}

export interface TrainerMetricsOptions {
  readonly report: () => ReportState;
  /** Asked at each scrape. */
  readonly gpuMemory?: () => Promise<readonly GpuMemory[]>;
}

/** A figure of a stage's last progress message. */
interface Figure {
  readonly name: string;
  readonly help: string;
  readonly value: (message: ProgressMessage) => number | undefined;
}

const figures: readonly Figure[] = [
  { name: 'epoch', help: 'Epoch that is running, from 0.', value: ({ epoch }) => epoch },
  { name: 'step', help: 'Finished steps of the stage.', value: ({ step }) => step },
  { name: 'steps', help: 'Steps of the stage in all.', value: ({ totalSteps }) => totalSteps },
  { name: 'loss', help: 'Loss of the last step shown.', value: ({ loss }) => loss },
  { name: 'learning_rate', help: 'Learning rate of the encoder or the classifier.', value: (m) => m.learningRate },
  { name: 'samples_per_second', help: 'Images a second over all ranks.', value: (m) => m.samplesPerSecond },
  {
    name: 'output_std',
    help: 'Standard deviation of the normalised outputs: healthy near 1/sqrt(dim), 0 when collapsed.',
    value: ({ outputStd }) => outputStd,
  },
  {
    name: 'effective_rank',
    help: 'Dimensions that the embeddings really use (RankMe).',
    value: ({ effectiveRank }) => effectiveRank,
  },
  {
    name: 'gradient_norm',
    help: 'Euclidean length of all gradients together, before weight decay.',
    value: ({ gradientNorm }) => gradientNorm,
  },
  {
    name: 'probe_top1_percent',
    help: 'Top-1 of a linear fit to the features of the kNN monitor.',
    value: ({ probeTop1 }) => probeTop1,
  },
  {
    name: 'online_probe_top1_percent',
    help: 'Top-1 of the online linear probe.',
    value: ({ onlineTop1 }) => onlineTop1,
  },
  { name: 'knn_top1_percent', help: 'Top-1 of the kNN monitor.', value: ({ knnTop1 }) => knnTop1 },
  { name: 'top1_percent', help: 'Top-1 of linear evaluation on the validation set.', value: ({ top1 }) => top1 },
  { name: 'top5_percent', help: 'Top-5 of linear evaluation on the validation set.', value: ({ top5 }) => top5 },
];

/**
 * The metrics of a launcher, made of its report when they are scraped. Labels take few values, which are known before:
 * stages, parts of a step, causes of a restart, this machine's ranks and GPUs.
 */
export function trainerMetrics({ report, gpuMemory }: TrainerMetricsOptions): Registry {
  const registry = new Registry();
  const metrics = [...figures.map((figure) => figureGauge(figure, report)), ...readings(report)];
  for (const metric of [...metrics, partSeconds(report), collectiveWaits(report), restarts(report), memory(gpuMemory)])
    registry.registerMetric(metric);
  return registry;
}

function figureGauge({ name, help, value }: Figure, report: () => ReportState): Metric {
  return new Gauge<string>({
    ...{ name: `simsiam_${name}`, help, labelNames: ['stage'], registers: [] },
    collect() {
      this.reset();
      for (const message of Object.values(report().latest)) {
        const known = value(message);
        if (known !== undefined) this.set({ stage: message.stage }, known);
      }
    },
  });
}

type Reading = readonly [name: string, help: string, value: (now: ReportState) => number];

const totals: readonly Reading[] = [
  ['lost_steps_total', 'Steps that restarts had to repeat.', (now) => now.progress.lostSteps],
  ['checkpoints_total', 'Checkpoints that were committed since this pod started.', (now) => now.checkpoints],
  [
    'unreadable_images_total',
    "Images that this pod's ranks left out because they can't be decoded; again after a restart, and for each use.",
    (now) => now.unreadableImages,
  ],
];

const states: readonly Reading[] = [
  ['generation', 'How often the ranks have met, from 1.', (now) => now.progress.generation],
  ['ranks', 'Ranks of the run, over all workers.', (now) => now.world],
  ['running', '1 while ranks run, 0 while workers are awaited.', (now) => Number(now.running)],
  ['collapsed', '1 while the collapse alarm stands.', (now) => Number(now.progress.collapse !== undefined)],
  [
    'last_checkpoint_timestamp_seconds',
    'When the last checkpoint was committed, in seconds since 1970; 0 before the first.',
    (now) => now.checkpointAt ?? 0,
  ],
];

function readings(report: () => ReportState): Metric[] {
  const counters = totals.map(
    ([name, help, value]) =>
      new Counter({
        ...{ name: `simsiam_${name}`, help, registers: [] },
        collect() {
          this.reset();
          this.inc(value(report()));
        },
      }),
  );
  const gauges = states.map(
    ([name, help, value]) =>
      new Gauge({
        ...{ name: `simsiam_${name}`, help, registers: [] },
        collect() {
          this.set(value(report()));
        },
      }),
  );
  return [...counters, ...gauges];
}

function partSeconds(report: () => ReportState): Metric {
  return new Counter<string>({
    name: 'simsiam_step_seconds_total',
    help: "What rank 0's time went to since its stage began or went on: data, step (with collectives), evaluation, checkpoint.",
    ...{ labelNames: ['part'], registers: [] },
    collect() {
      this.reset();
      const seconds = report().latest.pretrain?.seconds;
      if (seconds) for (const part of stepParts) this.inc({ part }, seconds[part]);
    },
  });
}

function collectiveWaits(report: () => ReportState): Metric {
  return new Counter<string>({
    name: 'simsiam_collective_wait_seconds_total',
    help: "Time in which this worker's ranks were in collectives of pre-training: the rank with the least is the one that the others wait for. Absent on GPUs.",
    ...{ labelNames: ['rank'], registers: [] },
    collect() {
      this.reset();
      for (const [rank, seconds] of Object.entries(report().waits)) this.inc({ rank }, seconds);
    },
  });
}

function restarts(report: () => ReportState): Metric {
  return new Counter<string>({
    name: 'simsiam_restarts_total',
    help: 'Generations of ranks that ended early since this pod started, by cause.',
    ...{ labelNames: ['cause'], registers: [] },
    collect() {
      this.reset();
      for (const [cause, count] of Object.entries(report().progress.restarts)) this.inc({ cause }, count);
    },
  });
}

function memory(gpuMemory: TrainerMetricsOptions['gpuMemory']): Metric {
  return new Gauge<string>({
    name: 'simsiam_gpu_memory_used_bytes',
    help: "Used memory of this machine's GPUs; absent without one.",
    ...{ labelNames: ['gpu'], registers: [] },
    async collect() {
      this.reset();
      for (const { gpu, usedBytes } of (await gpuMemory?.()) ?? []) this.set({ gpu }, usedBytes);
    },
  });
}
