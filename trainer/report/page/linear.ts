import { formatFigure, formatPercent } from '../../telemetry/format.ts';
import type { Line } from '../chart/line-chart.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import { baselineReferences } from './pretraining.ts';
import type { RunView } from './run-view.ts';
import { axisFor, linesOf, stageAxis } from './run-view.ts';
import { stageChart } from './stage-charts.ts';

const group = 'linear';

/** The charts of linear evaluation. */
export function linearSection(views: readonly RunView[]): Html | undefined {
  if (views.every(({ data }) => data.linear === undefined)) return undefined;
  return html`<section aria-labelledby="linear">
    <h2 id="linear">Linear evaluation</h2>
    <div class="charts">${accuracy(views)} ${loss(views)}</div>
  </section>`;
}

function accuracy(views: readonly RunView[]): Html | undefined {
  const x = stageAxis(views, 'linear');
  const single = views.length === 1;
  const named = (lines: readonly Line[], name: string, colour: number): Line[] =>
    lines.map((line) => (single ? { ...line, name, colour } : line));
  const lines = [
    ...named(linesOf(views, 'linear', 'top1', x), 'top-1', 0),
    ...(single ? named(linesOf(views, 'linear', 'top5', x), 'top-5', 1) : []),
  ];
  const references = baselineReferences(views, 'linearTop1');
  const levels = references.map(({ y }) => y);
  const y = axisFor('percent', lines, levels, formatPercent, ' %');
  const whole = { ...y, domain: [y.domain[0], Math.min(100, y.domain[1])] as const };
  return stageChart({
    ...{ id: 'accuracy', title: single ? 'Top-1 and top-5' : 'Top-1', group, views },
    note: 'Of the validation set, by a linear classifier on the frozen backbone. The levels are of the same classifier without pre-training.',
    chart: { x, y: whole, lines, references, named: single },
  });
}

function loss(views: readonly RunView[]): Html | undefined {
  const x = stageAxis(views, 'linear');
  const lines = linesOf(views, 'linear', 'loss', x);
  return stageChart({
    ...{ id: 'linear-loss', title: "Classifier's loss", group, views },
    note: 'Cross-entropy on the training images, mean of the epoch.',
    chart: { x, lines, y: axisFor('cross-entropy', lines, [0], formatFigure) },
  });
}
