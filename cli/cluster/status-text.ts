import type { SimSiamRunStatus } from '../../api/run.ts';
import { healthyOutputStd } from '../../trainer/evaluate/collapse.ts';
import { formatDuration, formatFigure, formatPercent } from '../../trainer/telemetry/format.ts';
import { type Figures, gpusOf, linearFigures, pretrainFigures, secondsLeft } from './figures.ts';
import type { Series } from './series.ts';
import type { Snapshot } from './snapshot.ts';
import { sparkline } from './sparkline.ts';
import { columns } from './table.ts';
import type { Worker } from './workers.ts';

const barWidth = 24;
const separator = ' · ';
/** Workers that are listed; of more, those that don't run first. */
const listedWorkers = 12;
/** Characters of what Kubernetes says of a worker: the condition has all of it, for one of them. */
const longestDetail = 60;

/**
 * What `simsiam status` shows of a run, as lines. Pure.
 *
 * @param series for the curves; shown from two steps on
 * @param now ms since 1970
 * @param width of the terminal; messages are wrapped to it
 */
export function statusLines(snapshot: Snapshot, series: Series, now: number, width = Infinity): string[] {
  const { run } = snapshot;
  return [
    ...headLines(snapshot, now),
    '',
    ...stageLines(snapshot),
    ...curveLines(series),
    ...factLines(snapshot),
    ...section('Conditions', conditionLines(run.status, now, width)),
    ...section('Workers', workerLines(snapshot.workers, now)),
  ];
}

function headLines(snapshot: Snapshot, now: number): string[] {
  const { run } = snapshot;
  const { metadata, spec, status } = run;
  const gpus = gpusOf(snapshot);
  const size = gpus === 0 ? 'on CPUs' : `${gpus} GPU${gpus === 1 ? '' : 's'}`;
  return [
    [`${metadata.namespace}/${metadata.name}`, status?.phase ?? 'Pending', ...detailOf(snapshot)].join(separator),
    [
      `${spec.workers} worker${spec.workers === 1 ? '' : 's'}, ${size}`,
      spec.pretrain.arch,
      `batch ${spec.pretrain.batchSize}`,
      `age ${ageOf(metadata.creationTimestamp, now)}`,
    ].join(separator),
  ];
}

function detailOf({ progress }: Snapshot): string[] {
  return progress?.detail === undefined ? [] : [progress.detail];
}

function stageLines(snapshot: Snapshot): string[] {
  const { pretrain, linear } = snapshot.run.spec;
  const left = secondsLeft(snapshot);
  const figures = pretrainFigures(snapshot);
  const now = linearFigures(snapshot);
  return [
    bar('pretrain', fractionOf(figures, pretrain.epochs), [
      `epoch ${epochOf(figures.epoch)}/${pretrain.epochs}`,
      ...show('', figures.samplesPerSecond, (pace) => `${formatFigure(pace)} images/s`),
      ...(left === undefined ? [] : [`ETA ${formatDuration(left)}`]),
    ]),
    ...below([
      ...show('loss', figures.loss, (loss) => loss.toFixed(4)),
      ...show(
        'std',
        figures.outputStd,
        (std) => `${formatFigure(std)} (healthy: ${formatFigure(healthyOutputStd(pretrain.dim))})`,
      ),
      ...show('rank', figures.effectiveRank, formatFigure),
      ...show('kNN', figures.knnTop1, formatPercent),
    ]),
    ...(linear.epochs === 0
      ? []
      : [
          bar('linear', (now.epoch ?? 0) / linear.epochs, [`epoch ${epochOf(now.epoch)}/${linear.epochs}`]),
          ...below([...show('top-1', now.top1, formatPercent), ...show('top-5', now.top5, formatPercent)]),
        ]),
  ];
}

/** By steps where they are known: an epoch may take hours. */
function fractionOf({ step, totalSteps, epoch = 0 }: Figures, epochs: number): number {
  return step !== undefined && totalSteps !== undefined && totalSteps > 0 ? step / totalSteps : epoch / epochs;
}

function bar(name: string, fraction: number, facts: readonly string[]): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
  return `${name.padEnd(9)}${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${facts.join(separator)}`;
}

function below(facts: readonly string[]): string[] {
  return facts.length === 0 ? [] : [`${' '.repeat(9)}${facts.join(separator)}`];
}

function curveLines({ loss, outputStd }: Series): string[] {
  if (loss.length < 2) return [];
  const curve = (name: string, values: readonly number[]): string =>
    `${name.padEnd(5)}${sparkline(values, 30)} ${formatFigure(values[0]!)} → ${formatFigure(values.at(-1)!)}`;
  return [`         ${curve('loss', loss)}`, `         ${curve('std', outputStd)}`];
}

function factLines(snapshot: Snapshot): string[] {
  const { status } = snapshot.run;
  const checkpoint = linearFigures(snapshot).checkpoint ?? pretrainFigures(snapshot).checkpoint;
  const lost = status?.lostSteps ?? 0;
  const restarts = restartsText(status?.restarts);
  const again = lost > 0 ? `, ${lost} step${lost === 1 ? '' : 's'} done again` : '';
  return [
    '',
    ...(checkpoint === undefined ? [] : [`checkpoint   ${checkpoint}`]),
    `storage      ${snapshot.run.spec.storage.uri}`,
    `restarts     ${restarts}${again}`,
    ...(snapshot.progress?.collapse === undefined ? [] : [`COLLAPSE     ${snapshot.progress.collapse}`]),
  ];
}

/** `3 (2 preempted, 1 peer lost)` */
export function restartsText(restarts: SimSiamRunStatus['restarts'] = {}): string {
  const { total = 0, ...classes } = restarts;
  const parts = Object.entries(classes)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`);
  return parts.length === 0 ? String(total) : `${total} (${parts.join(', ')})`;
}

function conditionLines(status: SimSiamRunStatus | undefined, now: number, width: number): string[] {
  const said = new Set<string>();
  return (status?.conditions ?? []).filter(isWorthShowing).flatMap((condition) => {
    const { type, status: is, reason, message, lastTransitionTime } = condition;
    // A run that has failed isn't healthy for the same reason: once is enough.
    const words = isFine(condition) || message === '' || said.has(message) ? [] : wrapped(message, width - 6);
    said.add(message);
    return [
      `${mark(condition)} ${type.padEnd(17)}${is.padEnd(8)}${reason}, ${ageOf(lastTransitionTime, now)}`,
      ...words.map((line) => `    ${line}`),
    ];
  });
}

type Condition = NonNullable<SimSiamRunStatus['conditions']>[number];

/** Whether the run may start and is well is always of interest; what has not come about is not. */
function isWorthShowing({ type, status, reason }: Condition): boolean {
  return type === 'Admitted' || type === 'Healthy' || status === 'True' || reason === 'Stopping';
}

/** What is as it should be needs no words. */
function isFine({ type, status }: Condition): boolean {
  return status === 'True' && (type === 'Admitted' || type === 'Healthy' || type === 'PretrainComplete');
}

function mark({ type, status }: Condition): string {
  if (type === 'Failed') return '✗';
  if (type === 'Healthy' && status === 'False') return '!';
  return status === 'True' ? '✓' : ' ';
}

function workerLines(workers: readonly Worker[], now: number): string[] {
  if (workers.length === 0) return [];
  const urgent = workers.toSorted((a, b) => Number(a.state === 'Running') - Number(b.state === 'Running'));
  const listed = workers.length <= listedWorkers ? workers : urgent.slice(0, listedWorkers);
  const rows = listed.map(({ stage, index, state, created, restarts, node, detail }) => [
    ...[`${stage} ${index}`, state, ageOf(created, now), String(restarts), node ?? '-', shortened(detail)],
  ]);
  const more = workers.length - listed.length;
  const running = workers.filter(({ state }) => state === 'Running').length;
  return [
    ...columns([['WORKER', 'STATE', 'AGE', 'RESTARTS', 'NODE', ''], ...rows]),
    ...(more > 0 ? [`and ${more} more; ${running} of ${workers.length} run`] : []),
  ];
}

function shortened(detail = ''): string {
  return detail.length <= longestDetail ? detail : `${detail.slice(0, longestDetail - 1)}…`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function show(name: string, value: number | undefined, format: (value: number) => string): string[] {
  return value === undefined ? [] : [`${name} ${format(value)}`.trimStart()];
}

function epochOf(epoch: number | undefined): string {
  return epoch === undefined ? '0' : String(Math.floor(epoch));
}

/** Words on as many lines as they need; a word longer than the width has a line of its own. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Since a time of the API server's; `?` where there is none. */
export function ageOf(time: string | undefined, now: number): string {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? '?' : formatDuration((now - at) / 1000);
}
