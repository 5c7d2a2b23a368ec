import type { LinearSpec } from '../../../api/run.ts';
import { formatFigure, formatPercent } from '../../telemetry/format.ts';
import { linearName } from '../../telemetry/linear-name.ts';
import type { Line } from '../chart/line-chart.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import { baselineReferences } from './pretraining.ts';
import type { RunView } from './run-view.ts';
import { axisFor, linesOf, stageAxis } from './run-view.ts';
import { stageChart } from './stage-charts.ts';

const group = 'linear';

/** `Linear top-1`, `Fine-tuned top-1, 10 % of the labels`. */
export function linearTitle({ backboneLearningRate, labelFraction }: LinearSpec): string {
  const fineTuned = backboneLearningRate !== undefined && { fineTuned: true as const };
  const name = linearName({ ...fineTuned, ...(labelFraction !== undefined && { labelFraction }) });
  return name[0]!.toUpperCase() + name.slice(1);
}

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
  const tuned = views.every(({ data }) => data.run.spec.linear.backboneLearningRate !== undefined);
  const how = tuned
    ? 'by a classifier and a backbone that are fine-tuned together. The levels are of the same training without pre-training.'
    : 'by a linear classifier on the frozen backbone. The levels are of the same classifier without pre-training.';
  return stageChart({
    ...{ id: 'accuracy', title: single ? 'Top-1 and top-5' : 'Top-1', group, views },
    note: `Of the validation set, ${how}`,
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
