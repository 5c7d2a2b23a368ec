import { collapseThresholds, healthyOutputStd } from '../../evaluate/collapse.ts';
import { formatFigure, formatPercent } from '../../telemetry/format.ts';
import type { Reference } from '../chart/line-chart.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import type { RunView } from './run-view.ts';
import { axisFor, latest, linesOf, stageAxis } from './run-view.ts';
import type { StageChart } from './stage-charts.ts';
import { stageChart } from './stage-charts.ts';
import { throughputCharts } from './throughput.ts';

const group = 'pretraining';

/** The charts of pre-training: whether it learns, whether it collapses, and how fast it is. */
export function pretrainingSection(views: readonly RunView[]): Html | undefined {
  if (views.every(({ data }) => data.pretrain === undefined)) return undefined;
  const charts = [
    loss(views),
    outputStd(views),
    effectiveRank(views),
    knn(views),
    probe(views),
    onlineProbe(views),
    gradientNorm(views),
    learningRate(views),
  ];
  return html`<section aria-labelledby="pretraining">
    <h2 id="pretraining">Pre-training</h2>
    <div class="charts">${charts.map((chart) => stageChart(chart))} ${others(views)} ${throughputCharts(views)}</div>
  </section>`;
}

function loss(views: readonly RunView[]): StageChart {
  const x = stageAxis(views, 'pretrain');
  const lines = linesOf(views, 'pretrain', 'loss', x);
  const greatest = lines.flatMap(({ points }) => points).reduce((most, { y }) => Math.max(most, y), 0);
  const y = {
    label: 'negative cosine',
    domain: [-1, greatest] as const,
    format: (value: number) => decimals(value, 3),
  };
  return {
    ...{ id: 'loss', title: 'Loss', group, views },
    note:
      'How far the prediction for one view points away from the projection of the other. −1 is the floor, and no ' +
      'success by itself: a collapsed network reaches it too.',
    chart: {
      x,
      y: { ...y, format: shortMinus(y.format) },
      lines,
      references: [{ name: 'floor −1', y: -1, side: 'left' }],
    },
  };
}

function outputStd(views: readonly RunView[]): StageChart {
  const x = stageAxis(views, 'pretrain');
  const lines = linesOf(views, 'pretrain', 'outputStd', x);
  const dims = [...new Set(views.map(({ data }) => data.run.spec.pretrain.dim))];
  const healthy = dims.map(healthyOutputStd);
  const greatest = [...lines.flatMap(({ points }) => points.map(({ y }) => y)), ...healthy].reduce(
    (most, y) => Math.max(most, y),
    0,
  );
  const below = collapseThresholds.stdFraction * Math.min(...healthy);
  return {
    ...{ id: 'output-std', title: 'Output standard deviation', group, views },
    note: html`Of z/‖z‖ over a batch, mean of the dimensions. Near 1/√d the outputs fill the sphere; at 0 all images get
    the same output.`,
    chart: {
      ...{ x, lines },
      y: { label: 'std', domain: [0, greatest * 1.12], format: formatFigure },
      references: dims.map((dim, i) => ({ name: `healthy 1/√${dim} = ${formatFigure(healthy[i]!)}`, y: healthy[i]! })),
      alarm: dims.length === 1 ? { name: 'collapse', below } : undefined,
    },
  };
}

function effectiveRank(views: readonly RunView[]): StageChart {
  const x = stageAxis(views, 'pretrain');
  const lines = linesOf(views, 'pretrain', 'effectiveRank', x);
  const limits = views.map(({ data }) => rankLimit(data)).filter((limit) => limit !== undefined);
  const y = axisFor('dimensions', lines, [0], formatFigure);
  const limit = limits[0];
  const same = new Set(limits).size === 1;
  const below = Math.max(collapseThresholds.minimumRank, collapseThresholds.rankFraction * (limit ?? 0));
  return {
    ...{ id: 'effective-rank', title: 'Effective rank', group, views },
    note: `How many dimensions the outputs really use (RankMe)${same ? `, of ${limit} possible ones` : ''}. Compare it between runs of the same width and number of samples.`,
    chart: { x, y, lines, alarm: same ? { name: 'collapse', below } : undefined },
  };
}

function rankLimit({ pretrain, run }: RunView['data']): number | undefined {
  const samples = latest(pretrain, 'effectiveRankSamples');
  return samples === undefined ? undefined : Math.min(samples, run.spec.pretrain.dim);
}

function knn(views: readonly RunView[]): StageChart {
  const x = stageAxis(views, 'pretrain');
  const lines = linesOf(views, 'pretrain', 'knnTop1', x);
  const references = baselineReferences(views, 'knnTop1');
  return {
    ...{ id: 'knn', title: 'kNN top-1', group, views },
    note: 'Images of the validation set, classified by the nearest training images in the space of the features.',
    chart: {
      ...{ x, lines, references },
      y: axisFor(
        'percent',
        lines,
        references.map(({ y }) => y),
        formatPercent,
        ' %',
      ),
    },
  };
}

/** What costs no pre-training, as levels. Of several runs they would only be in each other's way. */
export function baselineReferences(views: readonly RunView[], score: 'knnTop1' | 'linearTop1'): Reference[] {
  const [view] = views;
  const baselines = views.length === 1 ? view?.data.baselines : undefined;
  const named = { 'raw pixels': baselines?.rawPixels[score], 'untrained backbone': baselines?.untrained[score] };
  // On either side: the two are often close, and their names would lie one on the other.
  const sides = { 'raw pixels': 'left', 'untrained backbone': 'right' } as const;
  return (Object.keys(named) as (keyof typeof named)[]).flatMap((name) => {
    const y = named[name];
    return y === undefined ? [] : [{ name: `${name} ${formatPercent(y)}`, y, side: sides[name] }];
  });
}

function probe(views: readonly RunView[]): StageChart {
  const x = stageAxis(views, 'pretrain');
  const lines = linesOf(views, 'pretrain', 'probeTop1', x);
  return {
    ...{ id: 'probe', title: 'Linear probe top-1', group, views },
    note: 'The same images, classified by a linear fit (ridge regression) to the features of the training images.',
    chart: { x, lines, y: axisFor('percent', lines, [], formatPercent, ' %') },
  };
}

function onlineProbe(views: readonly RunView[]): StageChart {
  const x = stageAxis(views, 'pretrain');
  const lines = linesOf(views, 'pretrain', 'onlineTop1', x);
  return {
    ...{ id: 'online-probe', title: 'Online probe top-1', group, views },
    note: 'The same images, by a classifier that learns while the backbone does and leaves it alone.',
    chart: { x, lines, y: axisFor('percent', lines, [], formatPercent, ' %') },
  };
}

function gradientNorm(views: readonly RunView[]): StageChart {
  const x = stageAxis(views, 'pretrain');
  const lines = linesOf(views, 'pretrain', 'gradientNorm', x);
  return {
    ...{ id: 'gradient-norm', title: 'Gradient norm', group, views },
    note: 'Length of all gradients together, before weight decay. Jumps tell of a learning rate that is too high.',
    chart: { x, lines, y: axisFor('norm', lines, [0], formatFigure) },
  };
}

function learningRate(views: readonly RunView[]): StageChart {
  const x = stageAxis(views, 'pretrain');
  const lines = linesOf(views, 'pretrain', 'learningRate', x).filter(({ kind }) => kind === 'line');
  return {
    ...{ id: 'learning-rate', title: 'Learning rate', group, views },
    note: 'Of backbone and projector, as it was in force: the base rate × batch size / 256, with a cosine decay.',
    chart: { x, lines, y: axisFor('rate', lines, [0], formatFigure) },
  };
}

const known = [
  ...['loss', 'outputStd', 'effectiveRank', 'effectiveRankSamples', 'knnTop1', 'probeTop1', 'gradientNorm'],
  'onlineTop1',
  'learningRate',
];

/** What else the history holds. */
function others(views: readonly RunView[]): (Html | undefined)[] {
  const found = new Set(views.flatMap(({ data }) => Object.keys(data.pretrain?.steps ?? {})));
  const x = stageAxis(views, 'pretrain');
  return [...found]
    .filter((name) => !known.includes(name))
    .map((name, i) => {
      const lines = linesOf(views, 'pretrain', name, x);
      const y = axisFor(name, lines, [], formatFigure);
      const note = `${name}, as the history has it.`;
      return stageChart({ id: `other-${i}`, title: name, group, note, views, chart: { x, y, lines } });
    });
}

function decimals(value: number, most: number): string {
  return String(Number(value.toFixed(most)));
}

/** With a minus as long as a plus. */
function shortMinus(format: (value: number) => string): (value: number) => string {
  return (value) => format(value).replace('-', '−');
}
